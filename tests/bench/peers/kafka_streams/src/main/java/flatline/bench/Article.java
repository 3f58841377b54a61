package flatline.bench;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What is accumulated of an article, as the bytes that the store holds: links, referring domains, the time of the
 * newest link, then (day, links) pairs in order of day.
 */
final class Article {
    private static final int LINKS = 0;
    private static final int DOMAINS = 8;
    private static final int LAST_MS = 16;
    private static final int DAYS = 24;
    private static final int DAY_BYTES = 8;
    private static final long DAY_MS = 86_400_000L;

    private Article() {}

    static long links(byte[] article) {
        return ByteBuffer.wrap(article).getLong(LINKS);
    }

    static long domains(byte[] article) {
        return ByteBuffer.wrap(article).getLong(DOMAINS);
    }

    /** Returns the article after one more link; null is an article without any. */
    static byte[] with(byte[] article, LinkEvent link, boolean isNewDomain) {
        int day = (int) Math.floorDiv(link.occurredAtMs, DAY_MS);
        byte[] grown = withDay(article == null ? new byte[DAYS] : article, day);
        ByteBuffer fields = ByteBuffer.wrap(grown);
        fields.putLong(LINKS, fields.getLong(LINKS) + 1);
        if (isNewDomain) {
            fields.putLong(DOMAINS, fields.getLong(DOMAINS) + 1);
        }
        fields.putLong(LAST_MS, Math.max(fields.getLong(LAST_MS), link.occurredAtMs));
        return grown;
    }

    /** Returns a copy in which the day has one more link. Links come in order but for a few, so the search is short. */
    private static byte[] withDay(byte[] article, int day) {
        ByteBuffer fields = ByteBuffer.wrap(article);
        int after = article.length;
        while (after > DAYS && fields.getInt(after - DAY_BYTES) > day) {
            after -= DAY_BYTES;
        }
        if (after > DAYS && fields.getInt(after - DAY_BYTES) == day) {
            byte[] same = article.clone();
            ByteBuffer.wrap(same).putInt(after - 4, fields.getInt(after - 4) + 1);
            return same;
        }
        byte[] longer = Arrays.copyOf(article, article.length + DAY_BYTES);
        System.arraycopy(article, after, longer, after + DAY_BYTES, article.length - after);
        ByteBuffer.wrap(longer).putInt(after, day).putInt(after + 4, 1);
        return longer;
    }
}
