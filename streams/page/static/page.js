"use strict";
// The page reads and filters without this. It adds keys, curves to look into, and dates in the reader's time zone.

const typing = (element) => element.matches("input, select, textarea, [contenteditable]");

function select(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("selected"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];
  rows.forEach((row) => row.classList.toggle("selected", row === next));
  next.querySelector("a")?.focus();
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (event.key === "j") select(1);
  else if (event.key === "k") select(-1);
});

function localDates(root) {
  for (const time of root.querySelectorAll("time[datetime*='T']")) {
    const instant = new Date(time.dateTime);
    if (!Number.isNaN(instant.getTime())) time.title = instant.toLocaleString();
  }
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The drawing by the server stays where the chart can't be made.
function drawCurve(place) {
  const data = JSON.parse(place.querySelector("script[type='application/json']").textContent);
  if (typeof uPlot === "undefined" || data.days.length < 2) return;
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const isoDays = (_, seconds) => seconds.map((each) => new Date(each * 1000).toISOString().slice(0, 10));
  const bands = (plot) => {
    const { ctx } = plot;
    for (const band of data.bands) {
      const left = plot.valToPos(Math.max(band.from, plot.scales.x.min), "x", true);
      const right = plot.valToPos(Math.min(band.to, plot.scales.x.max), "x", true);
      if (right > left) {
        ctx.fillStyle = colour(band.tone === "bad" ? "--red-ground" : "--orange-ground");
        ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
      }
    }
  };
  const notes = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--blue");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    for (const note of data.notes) {
      const at = plot.valToPos(note.at, "x", true);
      if (at < bbox.left || at > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
      const isAtEnd = at > bbox.left + bbox.width - 30 * devicePixelRatio;
      ctx.textAlign = isAtEnd ? "right" : "left";
      const [x, y] = [isAtEnd ? -4 : 4, 14 + ((note.number - 1) % 3) * 16];
      ctx.fillText(note.number, at + x * devicePixelRatio, bbox.top + y * devicePixelRatio);
    }
    ctx.restore();
  };
  const notesUntil = (idx) =>
    data.notes
      .filter(({ at }) => at <= data.days[idx] && at > (data.days[idx - 1] ?? -Infinity))
      .map(({ number, text }) => `; ${number}: ${text.length > 80 ? `${text.slice(0, 79)}…` : text}`)
      .join("");
  const size = () => ({ width: place.clientWidth, height: 300 });
  const target = document.createElement("div");
  const readout = document.createElement("p");
  readout.className = "small dim";
  const plot = new uPlot(
    {
      ...size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false },
      legend: { show: false },
      scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [{ ...axis, space: 100, values: isoDays }, { ...axis, size: 56 }],
      hooks: {
        drawClear: [bands],
        draw: [notes],
        setCursor: [
          ({ cursor: { idx } }) => {
            readout.textContent =
              idx == null
                ? "Drag to zoom, double-click to see all."
                : `${new Date(data.days[idx] * 1000).toISOString().slice(0, 10)}: ` +
                  `${data.gained[idx]} gained, ${data.expected[idx].toFixed(1)} expected${notesUntil(idx)}`;
          },
        ],
      },
      series: [
        {},
        { label: "gained", stroke: colour("--green"), width: 2 },
        { label: "expected", stroke: colour("--dim"), width: 1.5, dash: [5, 4] },
      ],
    },
    [data.days, data.gained, data.expected],
    target,
  );
  readout.textContent = "Drag to zoom, double-click to see all.";
  place.querySelector("svg").replaceWith(target);
  target.after(readout);
  addEventListener("resize", () => plot.setSize(size()));
}

// The server says how each event reads: when something has happened, the list is asked for again, once a second at most.
function follow(place) {
  if (typeof htmx === "undefined" || typeof EventSource === "undefined") return;
  const status = document.querySelector("[data-live-status]");
  const pause = document.querySelector("[data-live-pause]");
  let isPaused = false;
  let isNew = false;
  let waiting = null;
  const show = () => {
    waiting = null;
    if (isPaused || !isNew) return;
    isNew = false;
    htmx.ajax("GET", location.href, { target: place, swap: "innerHTML" });
  };
  const happened = () => {
    isNew = true;
    waiting ??= setTimeout(show, 1000);
  };
  const source = new EventSource(place.dataset.live);
  for (const kind of ["link", "verdict", "group", "dead_letter", "reset"]) source.addEventListener(kind, happened);
  source.addEventListener("open", () => { if (!isPaused) status.textContent = "It follows by itself."; });
  source.addEventListener("error", () => { status.textContent = "The connection is lost; trying again."; });
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    status.textContent = isPaused ? "Paused." : "It follows by itself.";
    show();
  });
}

localDates(document);
document.querySelectorAll("[data-live]").forEach(follow);
document.querySelectorAll("[data-curve]").forEach(drawCurve);
document.addEventListener("htmx:afterSwap", (event) => localDates(event.detail.elt));
