#!/bin/sh
# Runs a broker for a moment while the image is built and keeps the classes that it loaded in a shared archive.
set -euf
cat >/tmp/warm.properties <<CONFIG
process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:9093
controller.listener.names=CONTROLLER
listeners=INTERNAL://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
listener.security.protocol.map=INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
log.dirs=/tmp/warm
CONFIG
options="-XX:+UseSerialGC -Dlog4j2.configurationFile=/opt/kafka/log4j2.yaml -Xmx384m -cp /opt/kafka/libs/*"
java $options kafka.tools.StorageTool format --cluster-id dGFybWFjLWthZmthLTAwMQ --config /tmp/warm.properties
java $options -XX:ArchiveClassesAtExit=/opt/kafka/kafka.jsa kafka.Kafka /tmp/warm.properties >/tmp/warm.log 2>&1 &
broker=$!
tries=0
until grep -q "Kafka Server started" /tmp/warm.log; do
    tries=$((tries + 1))
    if [ $tries -gt 120 ]; then cat /tmp/warm.log; exit 1; fi
    sleep 1
done
kill $broker
wait $broker || true
test -s /opt/kafka/kafka.jsa
rm -rf /tmp/warm /tmp/warm.*
