package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// flashCookie carries what is said once on the next page.
const flashCookie = "atozbot_said"

// flash is what was just done, and how to take it back.
type flash struct {
	Say  string   // The key of the text.
	Args []string `json:",omitempty"`
	Undo string   `json:",omitempty"` // Where a POST takes it back.
	Tone string   `json:",omitempty"`
}

// said is a flash in words.
type said struct {
	Text, Tone, Undo string
	Path             string // Where taking it back leads.
}

func (v *visit) said(f *flash) *said {
	if f == nil {
		return nil
	}
	pairs := make([]any, len(f.Args))
	for i, arg := range f.Args {
		pairs[i] = arg
	}
	return &said{Text: v.voice.say(f.Say, pairs...), Tone: orElse(f.Tone, "ok"), Undo: f.Undo, Path: v.r.URL.RequestURI()}
}

// setFlash hands f to the next page in a cookie, so that any replica can show it.
func setFlash(w http.ResponseWriter, _ *http.Request, secure bool, f flash) {
	content, err := json.Marshal(f)
	if err != nil {
		return // It holds strings alone.
	}
	http.SetCookie(w, &http.Cookie{
		Name: flashCookie, Value: base64.RawURLEncoding.EncodeToString(content), Path: "/",
		MaxAge: 60, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	})
}

// takeFlash reads what the page before left, and takes the cookie away.
func takeFlash(w http.ResponseWriter, r *http.Request) *flash {
	cookie, err := r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	content, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return nil
	}
	var f flash
	if json.Unmarshal(content, &f) != nil || f.Say == "" {
		return nil
	}
	f.Undo = localOrNone(f.Undo)
	return &f
}

// localOrNone is local for what may be left out.
func localOrNone(to string) string {
	if to == "" || local(to) != to {
		return ""
	}
	return to
}
