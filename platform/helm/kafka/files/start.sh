# Gives this pod's broker its own number and addresses, formats an empty volume, then becomes the broker.
set -euf # -f: Java expands the class path's star, not the shell
node=${POD_NAME##*-}
config=/tmp/server.properties
sed -e "s/@NODE@/$node/" -e "s/@POD@/$POD_NAME/" -e "s/@PORT@/$((EXTERNAL_PORT + node))/" /etc/tarmac/server.properties >$config
data=$(sed -n 's/^log\.dirs=//p' $config)
# An archive of classes that does not fit this Java or class path is passed over in silence. The second compiler would
# burn a core for minutes after each start, for a throughput that no lab comes near.
options="-XX:SharedArchiveFile=/opt/kafka/kafka.jsa -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off -XX:+UseSerialGC
         -XX:TieredStopAtLevel=1
         -Dlog4j2.configurationFile=/etc/tarmac/log4j2.yaml -Djava.io.tmpdir=/tmp -cp /opt/kafka/libs/*"
if [ ! -e "$data/meta.properties" ]; then
    # shellcheck disable=SC2086
    java $options -Xmx128m kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config $config
fi
# shellcheck disable=SC2086
exec java $options $KAFKA_HEAP_OPTS kafka.Kafka $config
