// Charts: the picture from the server stays until the interactive one is ready.
"use strict";

(() => {
  const charts = [...document.querySelectorAll("[data-chart]")];

  function loadBundle() {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = charts[0].dataset.bundle;
      script.type = "module";
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
  }

  // What is still being computed is asked for again when the server says.
  async function fetchSpec(figure, patient = false) {
    const response = await fetch(figure.dataset.chart, { credentials: "same-origin" });
    const retry = Number(response.headers.get("retry-after"));
    if (patient && response.status === 503 && retry) {
      await new Promise((resolve) => setTimeout(resolve, retry * 1000));
      return fetchSpec(figure, patient);
    }
    if (!response.ok) throw new Error(`chart: ${response.status}`);
    return response.json();
  }

  async function embed(figure) {
    const place = figure.querySelector(".chart-live");
    const options = {
      actions: false, ast: true, renderer: "svg", defaultStyle: false, logLevel: 1,
      tooltip: { disableDefaultStyle: true, theme: "qulink" },
    };
    const spec = await fetchSpec(figure, true);
    place.style.height = `${shownPicture(figure).offsetHeight}px`; // nothing below may jump
    place.classList.add("waiting");
    place.hidden = false;
    explain(figure, spec);
    const { view } = await window.vegaEmbed(place, spec, options);
    for (const picture of figure.querySelectorAll(".chart-wide, .chart-narrow")) picture.remove();
    place.classList.remove("waiting");
    figure.dataset.interactive = "true";
    const period = Number(figure.dataset.refresh || 0) * 1000;
    if (period) setInterval(() => refresh(figure, view), period);
  }

  // The legend explains the shapes that the chart has now.
  function explain(figure, spec) {
    const shown = new Set((spec.datasets.marks ?? []).map((row) => row.trust));
    for (const key of figure.querySelectorAll("[data-trust]")) key.hidden = !shown.has(key.dataset.trust);
  }

  function shownPicture(figure) {
    const wide = figure.querySelector(".chart-wide");
    return wide.offsetHeight ? wide : figure.querySelector(".chart-narrow");
  }

  async function refresh(figure, view) {
    if (document.hidden) return;
    try {
      const spec = await fetchSpec(figure);
      for (const [name, values] of Object.entries(spec.datasets)) view.data(name, values);
      await view.runAsync();
      explain(figure, spec);
    } catch (error) {} // the page itself says that the connection is lost
  }

  async function enhance() {
    try {
      await loadBundle();
      for (const figure of charts) await embed(figure);
    } catch (error) {
      for (const figure of charts) figure.querySelector(".chart-live").hidden = true;
    }
  }

  const whenIdle = window.requestIdleCallback ?? ((begin) => setTimeout(begin, 200));
  if (charts.length) addEventListener("load", () => whenIdle(enhance, { timeout: 1500 }));
})();
