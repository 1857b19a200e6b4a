package web_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPicturesOfEveryPage makes a picture of each page, on the phone and on the desktop,
// light and dark. It runs where ATOZBOT_PICTURES names a directory for them. With
// ATOZBOT_PICTURES_OF, the address of a dashboard that runs, they are of that one, and
// with ATOZBOT_PICTURES_ONLY only those whose name holds that text are made.
func TestPicturesOfEveryPage(t *testing.T) {
	if os.Getenv("ATOZBOT_PICTURES") == "" {
		t.Skip("skipped: ATOZBOT_PICTURES names no directory")
	}
	ctx := browse(t)
	address := os.Getenv("ATOZBOT_PICTURES_OF")
	if address == "" {
		h := newHouse(t, time.Now)
		address = serve(t, h, whole(t, h)).URL
	}
	for _, s := range []screen{phone, phone.inTheDark(), desktop, desktop.inTheDark()} {
		on(t, ctx, s)
		for _, page := range pages {
			name := page.name + "-" + s.name
			if !strings.Contains(name, os.Getenv("ATOZBOT_PICTURES_ONLY")) {
				continue
			}
			do(t, ctx, chromedp.Navigate(address+page.path))
			picture(t, ctx, name)
		}
	}
}
