package web

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// workerFile is the service worker's source.
const workerFile = "js/service-worker.js"

// handleFiles serves what browsers look for at fixed places. They are asked for anew
// each time: their names carry no hash.
func (s *Site) handleFiles(mux *http.ServeMux) {
	fixed := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			s.assets.files[name].serve(w, r)
		})
	}
	mux.Handle("GET /favicon.ico", fixed("icons/icon-64.png"))
	mux.Handle("GET /apple-touch-icon.png", fixed("icons/icon-180.png"))
	mux.HandleFunc("GET /manifest.webmanifest", s.manifest)
	mux.HandleFunc("GET /service-worker.js", s.serviceWorker)
	mux.HandleFunc("GET /offline", s.offline)
}

// manifest makes the dashboard installable (W3C, Web Application Manifest).
func (s *Site) manifest(w http.ResponseWriter, r *http.Request) {
	v := s.views.voice(r, "UTC").voice
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose,omitempty"`
	}
	at := func(name string) string { return "/static/" + s.assets.hash + "/" + name }
	content, err := json.Marshal(map[string]any{
		"id": "/", "name": "atozbot", "short_name": "atozbot", "description": v.say("app.description"),
		"lang": v.code, "dir": v.say("language.direction"), "start_url": "/", "scope": "/", "display": "standalone",
		"background_color": "#f7f5f0", "theme_color": "#f7f5f0", //nolint:misspell // The standard spells it so.
		"icons": []icon{
			{Src: at("icons/icon.svg"), Sizes: "any", Type: "image/svg+xml"},
			{Src: at("icons/icon-192.png"), Sizes: "192x192", Type: "image/png"},
			{Src: at("icons/icon-512.png"), Sizes: "512x512", Type: "image/png"},
			{Src: at("icons/icon-mask-512.png"), Sizes: "512x512", Type: "image/png", Purpose: "maskable"},
		},
	})
	if err != nil {
		http.Error(w, "The manifest could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Add("Vary", "Accept-Encoding, Accept-Language, Cookie")
	s.views.write(w, r, http.StatusOK, content)
}

// serviceWorker serves the worker from the root, which is as far as it may look, with the
// version of what it keeps in front: a new version is a new worker.
func (s *Site) serviceWorker(w http.ResponseWriter, r *http.Request) {
	shell, err := json.Marshal(append(s.assets.modules(), "/offline", "/static/"+s.assets.hash+"/app.css", "/static/"+s.assets.hash+"/icons/icon.svg"))
	if err != nil {
		http.Error(w, "The service worker could not be made.", http.StatusInternalServerError)
		return
	}
	head := fmt.Sprintf("const VERSION = %q, FILES = %s;\n", s.assets.hash, shell)
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Add("Vary", "Accept-Encoding")
	s.views.write(w, r, http.StatusOK, append([]byte(head), s.assets.files[workerFile].plain...))
}

// offline is what the service worker shows while the server cannot be reached.
func (s *Site) offline(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r, Person{})
	s.show(v, &view{page: "offline", title: v.voice.say("offline.title"), bare: true})
}
