package web_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPicturesOfEveryPage makes a picture of each page, on the phone and on the desktop,
// light and dark. It runs where ATOZBOT_PICTURES names a directory for them.
func TestPicturesOfEveryPage(t *testing.T) {
	if os.Getenv("ATOZBOT_PICTURES") == "" {
		t.Skip("skipped: ATOZBOT_PICTURES names no directory")
	}
	only := os.Getenv("ATOZBOT_PICTURES_ONLY")
	ctx := browse(t)
	h := newHouse(t, time.Now)
	server := serve(t, h, whole(t, h))
	for _, s := range []screen{phone, phone.inTheDark(), desktop, desktop.inTheDark()} {
		on(t, ctx, s)
		for _, page := range pages {
			if only != "" && !strings.Contains(page.name+"-"+s.name, only) {
				continue
			}
			do(t, ctx, chromedp.Navigate(server.URL+page.path))
			picture(t, ctx, page.name+"-"+s.name)
		}
	}
}
