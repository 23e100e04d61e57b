#!/bin/sh
# Formats an empty volume with the cluster's id, then becomes the broker. $1: server.properties
set -euf  # -f: Java expands the class path's star, not the shell
config=$1
data=$(sed -n 's/^log\.dirs=//p' "$config")
options="-XX:SharedArchiveFile=/opt/kafka/kafka.jsa -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off -XX:+UseSerialGC
         -Dlog4j2.configurationFile=/opt/kafka/log4j2.yaml -Djava.io.tmpdir=/tmp -cp /opt/kafka/libs/*"
if [ ! -e "$data/meta.properties" ]; then
    # shellcheck disable=SC2086
    java $options -Xmx128m kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config "$config"
fi
# shellcheck disable=SC2086
exec java $options $KAFKA_HEAP_OPTS kafka.Kafka "$config"
