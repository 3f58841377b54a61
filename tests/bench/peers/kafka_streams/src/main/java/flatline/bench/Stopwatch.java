package flatline.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** The rule of timing of tests/bench/run.py: wall-clock and CPU time from after the warm-up until all is committed. */
final class Stopwatch {
    private final OperatingSystemMXBean process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private final long events;
    private final long warmUp;
    private final AtomicLong applied = new AtomicLong();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private volatile long beganNs;
    private volatile long beganCpuNs;
    private volatile double seconds;
    private volatile double cpuSeconds;

    Stopwatch(long events, long warmUp) {
        this.events = events;
        this.warmUp = warmUp;
    }

    void applied() {
        if (applied.incrementAndGet() == warmUp) {
            beganCpuNs = process.getProcessCpuTime();
            beganNs = System.nanoTime();
        }
    }

    boolean isOver() {
        return applied.get() >= events;
    }

    /** Notes what is committed of all partitions; stops when that is everything. */
    void committed(long offsets) {
        if (offsets >= events && stopped.getCount() > 0) {
            seconds = (System.nanoTime() - beganNs) / 1e9;
            cpuSeconds = (process.getProcessCpuTime() - beganCpuNs) / 1e9;
            stopped.countDown();
        }
    }

    void await() throws InterruptedException {
        stopped.await();
    }

    double eventsPerSecond() {
        return (events - warmUp) / seconds;
    }

    double cpuSecondsPerMillionEvents() {
        return cpuSeconds / (events - warmUp) * 1e6;
    }
}
