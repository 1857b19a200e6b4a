package web_test

import (
	"net/http"
	"testing"
)

// BenchmarkNew measures what the dashboard adds to the start of the process.
func BenchmarkNew(b *testing.B) {
	h := newHouse(b, fixed)
	for b.Loop() {
		newSite(b, h)
	}
}

// BenchmarkNow measures one Now page, compressed.
func BenchmarkNow(b *testing.B) {
	s := newSite(b, newHouse(b, fixed))
	for b.Loop() {
		get(b, s, "/", func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	}
}
