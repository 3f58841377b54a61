package flatline.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The job: a link that was not seen before changes its article. One instance for a task, used by one thread. */
final class Accumulate extends ContextualProcessor<byte[], byte[], Void, Void> {
    static final String LINKS = "links";
    static final String DOMAINS = "domains";
    static final String ARTICLES = "articles";
    private static final byte[] SEEN = {};
    private static final Duration LOOK_EVERY = Duration.ofMillis(20);

    private final Stopwatch stopwatch;
    private final LinkEvent event = new LinkEvent();
    private KeyValueStore<byte[], byte[]> links;
    private KeyValueStore<byte[], byte[]> domains;
    private KeyValueStore<byte[], byte[]> articles;

    Accumulate(Stopwatch stopwatch) {
        this.stopwatch = stopwatch;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
        super.init(context);
        links = context.getStateStore(LINKS);
        domains = context.getStateStore(DOMAINS);
        articles = context.getStateStore(ARTICLES);
        // The last commit is asked for at once: no peer waits for a timer.
        context.schedule(LOOK_EVERY, PunctuationType.WALL_CLOCK_TIME, now -> {
            if (stopwatch.isOver()) {
                context.commit();
            }
        });
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        if (event.read(record.value()) && event.isGained && isNew(links, event.urlFrom)) {
            byte[] article = articles.get(record.key());
            articles.put(record.key(), Article.with(article, event, isNew(domains, event.referringHost)));
        }
        stopwatch.applied();
    }

    private boolean isNew(KeyValueStore<byte[], byte[]> seen, long fingerprint) {
        byte[] key = ByteBuffer.allocate(16).putLong(event.urlTo).putLong(fingerprint).array();
        return seen.putIfAbsent(key, SEEN) == null;
    }
}
