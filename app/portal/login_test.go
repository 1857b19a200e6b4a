package portal

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/atozbot/atozbot/app"
)

const credentials = "_token=login-token-0001&email=interpreter%40example.com&password=a+secret+%26+more"

func TestALogInSendsTheWholeForm(t *testing.T) {
	for name, c := range map[string]struct{ form, want string }{
		"hidden fields, and nothing unchecked": {loginForm, credentials},
		"the button's name and value":          {strings.Replace(loginForm, `<button type="submit">`, `<button type="submit" name="go" value="1">`, 1), credentials + "&go=1"},
		"an input as its button":               {strings.Replace(loginForm, `<button type="submit">Log in</button>`, `<input type="submit" name="go" value="1">`, 1), credentials + "&go=1"},
		"a button in capital letters":          {strings.Replace(loginForm, `<button type="submit">Log in</button>`, `<BUTTON TYPE=SUBMIT NAME=go VALUE=1>Log in</BUTTON>`, 1), credentials + "&go=1"},
		"no button at all":                     {strings.Replace(loginForm, `<button type="submit">Log in</button>`, ``, 1), credentials},
		"fields filled in before":              {strings.Replace(loginForm, `name="email"`, `name="email" value="someone@example.com"`, 1), credentials},
		"not the form to sign up":              {`<form method=post action=/register><input name=email><input type=password name=password><input type=password name=password_confirmation></form>` + loginForm, credentials},
		"beside a search":                      {`<form action=/search><input name=q><button>Go</button></form>` + loginForm, credentials},
		"fields named to it from elsewhere":    {`<input form=l name=email><form id=l method=post action=/login><input type=hidden name=_token value="login-token-0001"><input type=password name=password></form>`, "email=interpreter%40example.com&_token=login-token-0001&password=a+secret+%26+more"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /login", page200(`<html><body>`+c.form+`</body></html>`)).on("POST /login", to(302, "/dashboard")).on("GET /dashboard", page200(framed("")))
			if err := client(t, s).LogIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			if posts := s.posts(); len(posts) != 1 || posts[0] != "POST /login "+c.want {
				t.Errorf("it sent %q", posts)
			}
		})
	}
}

func TestWhatCameOfALogInIsKnown(t *testing.T) {
	board := page200(framed(table(noJobs)))
	wrong := func(message string) http.HandlerFunc {
		return page200(loginPage(`<div class="alert alert-danger">` + message + `</div>`))
	}
	for name, c := range map[string]struct {
		first, answer, board http.HandlerFunc
		want                 app.PageClass
		posts                int
	}{
		"taken, to a dashboard":                 {nil, to(302, "/dashboard"), nil, "", 1},
		"taken, to the board":                   {nil, to(303, "/interpreter-jobs"), board, "", 1},
		"taken, on the spot":                    {nil, page200(framed("<h1>Hello</h1>")), nil, "", 1},
		"taken, with data":                      {nil, page200(`{"redirect":"/dashboard"}`), board, "", 1},
		"taken, with nothing":                   {nil, status(204, ""), board, "", 1},
		"taken, to a page without a mark":       {nil, page200("<p>Welcome</p>"), board, "", 1},
		"taken, led on by the page":             {nil, page200(`<meta http-equiv=refresh content="0;url=/dashboard">`), board, "", 1},
		"logged in already":                     {to(302, "/dashboard"), nil, nil, "", 0},
		"logged in already, to an unknown page": {to(302, "/home"), nil, board, "", 0},
		"logged in already, to a missing page":  {to(302, "/gone"), nil, board, "", 0},
		"taken, to a page that is missing":      {nil, to(302, "/gone"), board, "", 1},
		"taken, to a page that is broken":       {nil, to(302, "/broken"), board, "", 1},
		"not taken, to a page that is missing":  {nil, to(302, "/gone"), to(302, "/login"), app.PageLoggedOut, 1},
		"to a page that is broken, as all are":  {nil, to(302, "/broken"), status(503, ""), app.PageUnavailable, 1},
		"not taken":                             {nil, wrong("These credentials do not match our records."), nil, app.PageLoggedOut, 1},
		"not taken, by a redirect":              {nil, to(302, "/login"), nil, app.PageLoggedOut, 1},
		"not taken, with a 422":                 {nil, status(422, loginPage("")), nil, app.PageLoggedOut, 1},
		"not taken, with a 401":                 {nil, status(401, `{"message":"no"}`), nil, app.PageLoggedOut, 1},
		"not taken, with data":                  {nil, page200(`{"ok":false}`), to(302, "/login"), app.PageLoggedOut, 1},
		"too many attempts":                     {nil, wrong("Too many login attempts. Please try again in 57 seconds."), nil, app.PageUnavailable, 1},
		"an expired token":                      {nil, status(419, "Page Expired"), nil, app.PageUnavailable, 1},
		"an error":                              {nil, status(500, ""), nil, app.PageUnavailable, 1},
		"no answer for now":                     {nil, status(429, ""), nil, app.PageUnavailable, 1},
		"maintenance after it":                  {nil, page200("<h1>Down for maintenance</h1>"), nil, app.PageUnavailable, 1},
		"maintenance before it":                 {page200("<h1>Down for maintenance</h1>"), nil, nil, app.PageUnavailable, 0},
		"an error before it":                    {status(503, ""), nil, nil, app.PageUnavailable, 0},
		"a stranger's page":                     {page200(strangers), nil, nil, app.PageUnavailable, 0},
		"a captcha in the form":                 {page200(strings.Replace(loginPage(""), "<button", `<div class="h-captcha"></div><button`, 1)), nil, nil, app.PageChallenge, 0},
		"a captcha after it":                    {nil, page200(`<div class="h-captcha"></div>`), nil, app.PageChallenge, 1},
		"a code asked for":                      {nil, page200(`<form method=post action=/two-factor><p>Enter your verification code</p><input name=code></form>`), nil, app.PageChallenge, 1},
		"to another site":                       {nil, to(302, "https://elsewhere.example.com/dashboard"), nil, app.PageUnavailable, 1},
		"sent again, elsewhere":                 {nil, to(307, "/login2"), nil, app.PageUnavailable, 1},
		"sent again, to another site":           {nil, to(308, "https://elsewhere.example.com/login"), nil, app.PageUnavailable, 1},
		"a form for another site":               {page200(strings.Replace(loginForm, `"/login"`, `"https://elsewhere.example.com/login"`, 1)), nil, nil, app.PageChanged, 0},
		"a form for another port":               {page200(strings.Replace(loginForm, `"/login"`, `"http://127.0.0.1:1/login"`, 1)), nil, nil, app.PageChanged, 0},
		"a form that would show it":             {page200(strings.Replace(loginForm, `POST`, `GET`, 1)), nil, nil, app.PageChanged, 0},
		"a form with other fields":              {page200(strings.Replace(loginForm, `"email"`, `"user"`, 2)), nil, nil, app.PageChanged, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /dashboard", page200(framed(""))).on("GET /home", page200("<p>Hello</p>")).on("GET /broken", status(500, ""))
			asked := false
			s.on("GET /login", func(w http.ResponseWriter, r *http.Request) {
				if c.first == nil || asked {
					page200(loginPage(""))(w, r)
					return
				}
				asked = true
				c.first(w, r)
			})
			s.on("POST /login", c.answer).on("GET /interpreter-jobs", c.board)
			err := client(t, s).LogIn(t.Context())
			if got := classOf(t, err); got != c.want {
				t.Errorf("it gave %q (%v), and should give %q", got, err, c.want)
			}
			if posts := s.posts(); len(posts) != c.posts {
				t.Errorf("it sent %q", posts)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "interpreter@")) {
				t.Errorf("the error tells too much: %v", err)
			}
			if name == "too many attempts" && failureOf(t, err).RetryAfter != 57*time.Second {
				t.Errorf("it waits for %s", failureOf(t, err).RetryAfter)
			}
			if name == "not taken" && !strings.HasSuffix(failureOf(t, err).Reason, "These credentials do not match our records.") {
				t.Errorf("the reason is %q", failureOf(t, err).Reason)
			}
		})
	}
}

func TestALogInIsKeptByCookies(t *testing.T) {
	s := newStand(t)
	in := func(r *http.Request) bool {
		cookie, err := r.Cookie("portal_session")
		return err == nil && cookie.Value == "in"
	}
	s.on("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: "x", Path: "/"})
		page200(loginPage(""))(w, r)
	})
	s.on("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("XSRF-TOKEN"); err != nil || r.Header.Get("Origin") != s.URL || r.Header.Get("Referer") != s.URL+"/login" {
			w.WriteHeader(419)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "portal_session", Value: "in", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		to(302, "/interpreter-jobs")(w, r)
	})
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
		if !in(r) {
			to(302, "/login")(w, r)
			return
		}
		page200(framed(table(noJobs)))(w, r)
	})
	c := client(t, s)
	if _, err := c.Look(t.Context()); classOf(t, err) != app.PageLoggedOut {
		t.Fatalf("before the log-in it gave %v", err)
	}
	if err := c.LogIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCredentialsAreSentInThePagesCharacterSet(t *testing.T) {
	var sent string
	s := newStand(t).on("GET /dashboard", page200(framed("")))
	s.on("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=windows-1252")
		_, _ = io.WriteString(w, loginPage(""))
	}).on("POST /login", to(302, "/dashboard"))
	c := client(t, s, func(o *Options) { o.Password = "pässwörd" })
	if err := c.LogIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent = s.posts()[0]
	want, _ := charmap.Windows1252.NewEncoder().String("pässwörd")
	if !strings.HasSuffix(sent, "password="+encode([]app.FormField{{Value: want}})[1:]) {
		t.Errorf("it sent %s", sent)
	}
}
