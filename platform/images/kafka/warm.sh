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
# In YAML as the chart's, so that its reader is in the archive too.
cat >/tmp/warm.yaml <<CONFIG
Configuration:
  Appenders:
    Console: {name: stdout, PatternLayout: {pattern: "%m%n"}}
  Loggers:
    Root: {level: INFO, AppenderRef: [{ref: stdout}]}
CONFIG
options="-XX:+UseSerialGC -Dlog4j2.configurationFile=/tmp/warm.yaml -Xmx384m -cp /opt/kafka/libs/*"
# shellcheck disable=SC2086
java $options kafka.tools.StorageTool format --cluster-id dGFybWFjLWthZmthLTAwMQ --config /tmp/warm.properties
# shellcheck disable=SC2086
java $options -XX:ArchiveClassesAtExit=/opt/kafka/kafka.jsa kafka.Kafka /tmp/warm.properties >/tmp/warm.log 2>&1 &
broker=$!
tries=0
until grep -q "Kafka Server started" /tmp/warm.log; do
    tries=$((tries + 1))
    if [ $tries -gt 120 ] || ! kill -0 $broker; then
        cat /tmp/warm.log
        exit 1
    fi
    sleep 1
done
kill $broker
wait $broker || true
test -s /opt/kafka/kafka.jsa
rm -rf /tmp/warm /tmp/warm.*
