// Starts Swagger UI over the schema that the page names; a file of its own, because the
// Content-Security-Policy lets no inline script run.
const place = document.getElementById("api-docs");

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  validatorUrl: null,
});
