package flatline.bench;

import static org.apache.kafka.streams.StoreQueryParameters.fromNameAndType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Runs the job once: the run from the environment, the answer into its folder. The argument: how many threads. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, String> told = System.getenv();
        Path folder = Path.of(told.get("BENCH_FOLDER"));
        Stopwatch stopwatch =
            new Stopwatch(Long.parseLong(told.get("BENCH_EVENTS")), Long.parseLong(told.get("BENCH_WARM_UP")));
        Properties settings = settings(told, folder, stopwatch, arguments[0]);
        KafkaStreams streams = new KafkaStreams(topology(told.get("BENCH_TOPIC"), stopwatch), settings);
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        stopwatch.await();
        answer(streams, stopwatch, folder.resolve("answer.json"));
        Runtime.getRuntime().halt(0);
    }

    private static Topology topology(String topic, Stopwatch stopwatch) {
        Topology topology = new Topology()
            .addSource("events", new ByteArrayDeserializer(), new ByteArrayDeserializer(), topic)
            .addProcessor("accumulate", () -> new Accumulate(stopwatch), "events");
        for (String store : new String[] {Accumulate.LINKS, Accumulate.DOMAINS, Accumulate.ARTICLES}) {
            topology.addStateStore(store(store), "accumulate");
        }
        return topology;
    }

    private static StoreBuilder<KeyValueStore<byte[], byte[]>> store(String name) {
        StoreBuilder<KeyValueStore<byte[], byte[]>> store =
            Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Serdes.ByteArray(), Serdes.ByteArray())
                .withLoggingEnabled(Map.of());
        // A link or a domain is written once: there is nothing that a cache could save, and it takes time.
        return name.equals(Accumulate.ARTICLES) ? store.withCachingEnabled() : store;
    }

    private static Properties settings(Map<String, String> told, Path folder, Stopwatch stopwatch, String threads) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, told.get("BENCH_NAMESPACE"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, told.get("BENCH_BOOTSTRAP"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve("state").toString());
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L << 20);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        consumer(settings, ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5_000);
        consumer(settings, ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 4 << 20);
        consumer(settings, ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG, Commits.class.getName());
        consumer(settings, Commits.STOPWATCH, stopwatch);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 << 10);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
        return settings;
    }

    private static void consumer(Properties settings, String name, Object value) {
        settings.put(StreamsConfig.mainConsumerPrefix(name), value);
    }

    private static void answer(KafkaStreams streams, Stopwatch stopwatch, Path file) throws IOException {
        ReadOnlyKeyValueStore<byte[], byte[]> store =
            streams.store(fromNameAndType(Accumulate.ARTICLES, QueryableStoreTypes.keyValueStore()));
        long links = 0;
        long domains = 0;
        long articles = 0;
        try (var all = store.all()) {
            while (all.hasNext()) {
                byte[] article = all.next().value;
                links += Article.links(article);
                domains += Article.domains(article);
                articles++;
            }
        }
        Files.writeString(file, String.format(
            Locale.ROOT,
            "{\"events_per_s\": %.1f, \"cpu_s_per_million_events\": %.3f,"
                + " \"totals\": {\"links\": %d, \"referring_domains\": %d, \"articles\": %d}}",
            stopwatch.eventsPerSecond(), stopwatch.cpuSecondsPerMillionEvents(), links, domains, articles));
    }
}
