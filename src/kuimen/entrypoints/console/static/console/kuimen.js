// Charts read aggregates only; revealed values live in the page for their time and nowhere else.
(() => {
  "use strict";

  const palette = ["#12806a", "#f2b84b", "#3f6fb5", "#c0533f", "#7a8794", "#8e6bb0", "#5aa9a3"];

  function stacked(data, horizontal) {
    const category = { type: "category", data: data.labels, axisLabel: { fontSize: 12, interval: 0 } };
    const value = { type: "value", minInterval: 1 };
    return {
      color: data.colours || palette,
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
      legend: { top: 0, type: "scroll" },
      grid: { left: 12, right: 24, top: 44, bottom: 8, containLabel: true },
      xAxis: horizontal ? value : category,
      yAxis: horizontal ? { ...category, inverse: true } : value,
      series: data.series.map((series) => ({
        name: series.name, type: "bar", stack: "all", data: series.values, barMaxWidth: 46,
        label: { show: Boolean(data.show_values), formatter: (p) => (p.value ? p.value : "") },
      })),
      aria: { enabled: true },
    };
  }

  function ring(data) {
    return {
      color: data.colours || palette,
      tooltip: { trigger: "item", renderMode: "richText" },
      legend: { bottom: 0, type: "scroll" },
      series: [{ type: "pie", radius: ["48%", "72%"], center: ["50%", "44%"], data: data.slices,
        label: { formatter: "{b} {c}" } }],
      aria: { enabled: true },
    };
  }

  const shapes = { stacked: (d) => stacked(d, false), bars: (d) => stacked(d, true), ring };

  async function draw(place) {
    const answer = await fetch(place.dataset.src, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) { place.textContent = place.dataset.failed; return; }
    const data = await answer.json();
    if (data.empty) { place.textContent = data.empty; place.classList.add("empty-state"); return; }
    const chart = window.echarts.init(place, null, { renderer: "svg" });
    chart.setOption({ animation: false, textStyle: { fontFamily: "inherit" }, ...shapes[data.shape](data) });
    place.dataset.drawn = "yes";
    window.addEventListener("resize", () => chart.resize());
  }

  function expire(node) {
    const until = Date.parse(node.dataset.expires);
    const left = node.querySelector("[data-left]");
    const tick = () => {
      const seconds = Math.max(0, Math.round((until - Date.now()) / 1000));
      if (left) { left.textContent = String(seconds); }
      if (seconds > 0) { window.setTimeout(tick, 1000); return; }
      const gone = document.createElement("span");
      gone.className = "text-secondary";
      gone.textContent = node.dataset.gone;
      node.replaceWith(gone);
    };
    tick();
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (window.echarts) { document.querySelectorAll("[data-src].chart").forEach((place) => { draw(place); }); }
    document.querySelectorAll("[data-expires]").forEach(expire);
  });
  document.addEventListener("htmx:afterSwap", (event) => { event.target.querySelectorAll("[data-expires]").forEach(expire); });
  ["copy", "cut", "dragstart", "contextmenu"].forEach((kind) => {
    document.addEventListener(kind, (event) => {
      if (event.target instanceof Element && event.target.closest(".revealed, .no-copy")) { event.preventDefault(); }
    });
  });
})();
