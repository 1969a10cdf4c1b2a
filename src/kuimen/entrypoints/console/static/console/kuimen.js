// Charts read aggregates only; revealed values live in the page for their time and nowhere else.
(() => {
  "use strict";

  const palette = ["#12806a", "#f2b84b", "#3f6fb5", "#c0533f", "#7a8794", "#8e6bb0", "#5aa9a3"];
  const ink = "#43514f";
  const legend = { top: 0, left: "center", icon: "roundRect", itemWidth: 12, itemHeight: 12, itemGap: 18, textStyle: { color: ink } };
  const line = { lineStyle: { color: "#d8dfde" } };

  function series(data, values) {
    return data.series.map((one, row) => ({
      name: one.name, type: "bar", stack: "all", data: values(one, row), barMaxWidth: 34, barCategoryGap: "32%",
      itemStyle: { borderColor: "#fff", borderWidth: 1 }, labelLayout: { hideOverlap: true },
      label: { show: Boolean(data.show_values), fontSize: 11, formatter: (p) => (p.data.count ? p.data.count : "") },
    }));
  }

  function frame(data, across, scale) {
    const names = {
      type: "category", data: data.labels, axisTick: { show: false }, axisLine: line,
      axisLabel: { fontSize: 12, color: ink, interval: across ? 0 : "auto", width: across ? 190 : undefined, overflow: "truncate" },
    };
    const numbers = { type: "value", minInterval: 1, splitLine: { lineStyle: { color: "#eef1f1" } }, axisLabel: { color: ink }, ...scale };
    return {
      color: data.colours || palette,
      legend: { ...legend, data: data.series.map((one) => one.name) },
      grid: { left: 8, right: 20, top: 36, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: across ? numbers : names,
      yAxis: across ? { ...names, inverse: true } : numbers,
      aria: { enabled: true },
    };
  }

  // counts as they are
  function stacked(data, across) {
    const tooltip = { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } };
    const counts = (one) => one.values.map((value) => ({ value, count: value }));
    return { ...frame(data, across, {}), tooltip, series: series(data, counts) };
  }

  // every row fills the width; labels tell the counts
  function shares(data) {
    const sums = data.labels.map((_, column) => data.series.reduce((sum, one) => sum + one.values[column], 0));
    const part = (one) => one.values.map((count, column) => ({ value: sums[column] ? (100 * count) / sums[column] : 0, count }));
    const tooltip = { trigger: "item", renderMode: "richText", formatter: (p) => `${p.name}\n${p.seriesName} ${p.data.count}` };
    return { ...frame(data, true, { max: 100, axisLabel: { formatter: "{value}%", color: ink } }), tooltip, series: series(data, part) };
  }

  // counts beside each other on a scale of powers, against the most there may be
  function limited(data) {
    const tooltip = { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } };
    const colour = (value) => (value > 0.9 * data.limit ? "#c0392b" : value > 0.5 * data.limit ? "#e0a52c" : undefined);
    const bars = data.series.map((one, row) => ({
      name: one.name, type: "bar", barMaxWidth: 12,
      data: one.values.map((value) => ({ value: Math.max(value, 1), itemStyle: { color: colour(value) } })),
      label: { show: true, position: "right", fontSize: 11, color: ink, formatter: (p) => one.values[p.dataIndex].toLocaleString("en") },
      markLine: row ? undefined : {
        silent: true, symbol: "none", lineStyle: { color: "#c0392b", type: "dashed" },
        label: { formatter: data.limit_name, color: "#9b2418", position: "end", rotate: 0 }, data: [{ xAxis: data.limit }],
      },
    }));
    const scale = { type: "log", logBase: 2, min: 1, max: 4 * data.limit, minInterval: undefined, axisLabel: { color: ink, formatter: (v) => `2${String(Math.round(Math.log2(v))).replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])}` } };
    const drawn = frame(data, true, scale);
    return { ...drawn, grid: { ...drawn.grid, top: 52 }, tooltip, series: bars };
  }

  // counts next to each other, so that two may be compared
  function beside(data) {
    const option = stacked(data, true);
    option.series.forEach((one) => { delete one.stack; });
    return option;
  }

  const shapes = { stacked: (d) => stacked(d, false), bars: (d) => stacked(d, true), shares, limited, beside };

  async function draw(place) {
    const answer = await fetch(place.dataset.src, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) { place.textContent = place.dataset.failed; place.classList.add("km-empty"); return; }
    const data = await answer.json();
    if (data.empty) { place.textContent = data.empty; place.classList.add("km-empty"); return; }
    const chart = window.echarts.init(place, null, { renderer: "svg" });
    chart.setOption({ animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily }, ...shapes[data.shape](data) });
    place.dataset.drawn = "yes";
    window.addEventListener("resize", () => chart.resize());
  }

  // The server says how many seconds are left, so that a wrong clock of this machine neither shortens nor lengthens them.
  function expire(node) {
    const seconds = Number(node.dataset.seconds);
    const end = performance.now() + seconds * 1000;
    const left = node.querySelector("[data-left]");
    const bar = node.querySelector("progress");
    const clear = () => {
      const gone = document.createElement("span");
      gone.className = "text-secondary";
      gone.textContent = node.dataset.gone;
      node.replaceWith(gone);
    };
    const tick = () => {
      if (!node.isConnected) { return; }
      const rest = (end - performance.now()) / 1000;
      if (rest <= 0) { clear(); return; }
      if (left) { left.textContent = String(Math.ceil(rest)); }
      if (bar) { bar.value = rest; }
      window.setTimeout(tick, Math.min(250, rest * 1000));
    };
    window.addEventListener("pagehide", () => { if (node.isConnected) { clear(); } });
    tick();
  }

  function watch(root) { root.querySelectorAll("[data-seconds]").forEach(expire); }

  document.addEventListener("DOMContentLoaded", () => {
    if (window.echarts) { document.querySelectorAll("[data-src].chart").forEach((place) => { draw(place); }); }
    watch(document);
    document.querySelectorAll("[data-choose]").forEach((link) => {
      link.addEventListener("click", (event) => {
        const list = document.getElementById("reveal-element");
        const reason = document.getElementById("reason");
        if (!list || !reason) { return; }
        event.preventDefault();
        list.value = link.dataset.choose;
        reason.focus();
      });
    });
  });
  document.addEventListener("htmx:afterSwap", (event) => { watch(event.detail.target); });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    const answer = form instanceof HTMLFormElement ? form.querySelector("#answer, #reason") : null;
    if (answer && event.detail.successful) { answer.value = ""; }  // what the customer said does not stay on the screen
  });
  ["copy", "cut", "dragstart", "contextmenu", "selectstart"].forEach((kind) => {
    document.addEventListener(kind, (event) => {
      const place = event.target instanceof Element ? event.target : event.target.parentElement;
      if (place && place.closest(".revealed, .no-copy")) { event.preventDefault(); }
    });
  });
})();
