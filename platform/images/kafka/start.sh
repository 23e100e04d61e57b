#!/bin/sh
# Formats an empty volume with the cluster's id, then becomes the broker. $1: server.properties
set -eu
java="java -XX:SharedArchiveFile=/opt/kafka/kafka.jsa -Xshare:auto -XX:+UseSerialGC -XX:TieredStopAtLevel=4
      -Dlog4j2.configurationFile=/opt/kafka/log4j2.yaml -Djava.io.tmpdir=/tmp -cp /opt/kafka/libs/*"
config=$1
data=$(sed -n 's/^log\.dirs=//p' "$config")
if [ ! -e "$data/meta.properties" ]; then
    # shellcheck disable=SC2086
    $java -Xmx128m kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config "$config" ${FORMAT_OPTIONS:-}
fi
# shellcheck disable=SC2086
exec $java ${KAFKA_HEAP_OPTS:--Xms256m -Xmx384m} kafka.Kafka "$config"
