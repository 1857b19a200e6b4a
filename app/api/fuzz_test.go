package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzHandler sends anything whatever to the whole handler.
func FuzzHandler(f *testing.F) {
	for name, c := range calls {
		method, _, _ := strings.Cut(name, " ")
		f.Add(method, c.target, c.body, "application/json", "Bearer "+environmentToken)
	}
	f.Add("GET", "/api/events?after=0", "", "", "Bearer "+environmentToken)
	f.Add("PUT", "/api/bot/configuration", `{"weekly_hours":{"mon":null}}`, "a+b;c", "")
	h := prepared()
	handler := h.serve(f)
	f.Fuzz(func(t *testing.T, method, target, body, contentType, authorization string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !token(method) {
			return // No server would let it through.
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // Streams are broken off.
		defer cancel()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).WithContext(ctx)
		r.Method, r.URL, r.RequestURI = method, u, target
		r.Header = http.Header{"Content-Type": {contentType}, "Authorization": {authorization}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		holds(t, method+" "+target, w)
	})
}

// token says whether s can be a method (RFC 9110, section 5.6.2).
func token(s string) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' || strings.ContainsRune("()<>@,;:\\\"/[]?={}", c) {
			return false
		}
	}
	return s != ""
}
