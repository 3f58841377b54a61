package flatline.bench;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Tells the stopwatch which offsets the broker has acknowledged, for all consumers of the process. */
public final class Commits implements ConsumerInterceptor<byte[], byte[]> {
    static final String STOPWATCH = "bench.stopwatch";
    private static final Map<TopicPartition, Long> COMMITTED = new ConcurrentHashMap<>();
    private Stopwatch stopwatch;

    @Override
    public void configure(Map<String, ?> settings) {
        stopwatch = (Stopwatch) settings.get(STOPWATCH);
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> COMMITTED.put(partition, offset.offset()));
        stopwatch.committed(COMMITTED.values().stream().mapToLong(Long::longValue).sum());
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
        return records;
    }

    @Override
    public void close() {}
}
