package api

import (
	"embed"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5emb"
)

// docsFiles are the page of ours around the library's script: the library's own page has
// scripts inline, which our headers refuse.
//
//go:embed docs
var docsFiles embed.FS

// docsPolicy lets the page load what it is made of from this server, and ask it.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// docsRoutes serve the page to try the API.
func (s *Server) docsRoutes() {
	assets := v5emb.New("atozbot API", "/openapi.json", "/docs/")
	serve := func(w http.ResponseWriter, r *http.Request) {
		callOf(r.Context()).route = "/docs"
		h := w.Header()
		s.headers.page(h, s.o.HSTS || r.TLS != nil)
		h.Set("Content-Security-Policy", docsPolicy)
		name := strings.Trim(strings.TrimPrefix(r.URL.Path, "/docs"), "/")
		switch {
		case name == "":
			h.Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, docsFiles, "docs/index.html")
		case name == "page.js" || name == "page.css":
			h.Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, docsFiles, "docs/"+name)
		case isDocsAsset(name):
			h.Set("Cache-Control", "public, max-age=86400")
			assets.ServeHTTP(w, r)
		default:
			writeProblem(w, notFound())
		}
	}
	s.mux.HandleFunc("GET /docs", serve)
	s.mux.HandleFunc("GET /docs/{file...}", serve)
}

// isDocsAsset names the files of the library that the page needs.
func isDocsAsset(name string) bool {
	switch name {
	case "swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png":
		return true
	default:
		return false
	}
}
