// Draws each chart from the specification and the rows beside it. `ast`: no code is made of text.
for (const place of document.querySelectorAll("[data-chart]")) {
  const name = place.dataset.chart;
  const { spec, rows } = JSON.parse(document.querySelector(`[data-spec="${name}"]`).textContent);
  const inner = document.createElement("div");
  inner.setAttribute("aria-hidden", "true"); // the place itself has the text alternative
  place.append(inner);
  vegaEmbed(inner, { ...spec, datasets: { rows } }, { actions: false, ast: true, renderer: "svg" })
    .then(() => { place.dataset.drawn = "true"; });
}
