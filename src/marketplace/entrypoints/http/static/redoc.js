// Starts ReDoc on the page that docs.py serves. A file, since the page allows no inline script.
window.addEventListener("load", () => {
  const place = document.getElementById("document");
  window.Redoc.init(place.dataset.url, { hideDownloadButton: false }, place);
});
