// Starts Swagger UI on the page that docs.py serves. A file, since the page allows no inline script.
window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: document.getElementById("document").dataset.url,
    dom_id: "#document",
    deepLinking: true,
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
});
