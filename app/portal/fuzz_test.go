package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/html"

	"github.com/atozbot/atozbot/app"
)

// nastyPages are what the fuzzing of pages begins with.
func nastyPages() []string {
	return []string{
		framed(table(jobRow("48213", "Matched") + jobRow("48214", "Accepted"))),
		framed(table(noJobs)),
		boardOf(2, firstToken),
		loginPage(""),
		framed(detailsOf("48213", "Telephone interpreting", "Matched") + rejectFormOf("48213")),
		framed(question(`class="modal fade"`) + cancelQuestion(`class="modal show"`)),
		`<table><tr><form action=/interpreter-jobs/48213/matched method=post><td class=table__data>48213/A<td>x</form>`,
		`<section class=content__table><table><tbody><tr class=table__row><td class=table__data colspan=`,
		`<p class="job__detail">Interpreter details<p>Telephone`,
		"\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00",
		`{"jobs":[]}`,
		strings.Repeat("<div><form><table><tr><td>", 40),
		`<svg><title><table></svg><select><option><table><tr><td></select>`,
		`<a rel="next" href="?page=2"><a rel=next href="//x/"><base href="http://y/">`,
	}
}

func storable(t *testing.T, what string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("%s holds what no database takes: %q", what, s)
		}
	}
}

// FuzzBoard holds that whatever comes as the board, it is classified, what is read of it
// can be stored, a job's form is surely its own, and the same bytes are the same board.
func FuzzBoard(f *testing.F) {
	for _, page := range nastyPages() {
		f.Add([]byte(page), "text/html")
		f.Add([]byte(page), "text/html; charset=windows-1252")
	}
	c := testClient(f, "https://portal.example.com")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		p := pageFrom(c, "/interpreter-jobs", string(body))
		p.header.Set("Content-Type", kind)
		found := p.classify(toLook)
		switch found.class {
		case app.PageBoard, app.PageEmptyBoard:
		case app.PageLoggedOut, app.PageUnavailable, app.PageChanged, app.PageChallenge:
			if found.reason == "" {
				t.Errorf("%s has no reason", found.class)
			}
			storable(t, "the reason", found.reason)
			return
		default:
			t.Fatalf("a look can make nothing of %q", found.class)
		}
		read := p.boardPage("", p.readBoard(found.board, time.UTC))
		for _, j := range once(read.read.jobs) {
			storable(t, "the job", append([]string{j.Number, j.Ref, j.Language, j.StatusText, j.DateText, j.Date, j.Time, j.DetailsURL}, j.Row...)...)
			if j.Number == "" {
				t.Error("a job has no number")
			}
			if form := j.AcceptForm; form != nil {
				u, err := url.Parse(form.Action)
				if err != nil || u.Scheme+"://"+u.Host != "https://portal.example.com" || u.EscapedPath() != "/interpreter-jobs/"+j.Number+"/matched" {
					t.Errorf("job %s is accepted at %s", j.Number, form.Action)
				}
			}
		}
		again := pageFrom(c, "/interpreter-jobs", string(body))
		again.header.Set("Content-Type", kind)
		if jobs, asRead, ok := read.again(again); !ok || !asRead || len(jobs) != len(read.read.jobs) {
			t.Error("the same page was not recognised")
		}
		p.release()
	})
}

// FuzzRenewed holds that a board recognised by its bytes gives what reading it anew gives.
func FuzzRenewed(f *testing.F) {
	f.Add(firstToken, secondToken, "_token")
	f.Add("abcdefghijklmnop", "abcdefghijklmno&amp;", "x")
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaa\"", "aaaaaaaaaaaa")
	f.Add("480014800148001", "480024800248002", "48001")
	c := testClient(f, "https://portal.example.com")
	f.Fuzz(func(t *testing.T, one, two, name string) {
		page := func(token string) string {
			return strings.ReplaceAll(boardOf(3, token), `name="_token"`, `name="`+name+`"`)
		}
		read := func(body string) *boardPage {
			p := pageFrom(c, "/interpreter-jobs", body)
			found := p.classify(toLook)
			if found.board == nil {
				return nil
			}
			defer p.release()
			return p.boardPage("", p.readBoard(found.board, time.UTC))
		}
		before, anew := read(page(one)), read(page(two))
		if before == nil {
			return
		}
		jobs, _, ok := before.again(pageFrom(c, "/interpreter-jobs", page(two)))
		if !ok {
			return
		}
		if anew == nil || len(anew.read.jobs) != len(jobs) {
			t.Fatal("another board was taken for the same")
		}
		for i := range jobs {
			got, want := jobs[i].AcceptForm, anew.read.jobs[i].AcceptForm
			if (got == nil) != (want == nil) || got != nil && (got.Action != want.Action || encode(got.Fields) != encode(want.Fields)) {
				t.Errorf("job %s would be accepted with %+v, and should be with %+v", jobs[i].Number, got, want)
			}
		}
	})
}

// FuzzUnchanged holds that a page which is taken for the one before, though a piece of it
// is another, reads the same when it is read anew.
func FuzzUnchanged(f *testing.F) {
	bases := []string{
		strings.Replace(boardOf(2, firstToken), "<main>", `<!-- 12 --><script nonce="n">var a = "b";</script><p>It is <b>noon</b></p><form action="/s"><input name=q value=x></form><main>`, 1),
		framed(table(noJobs)),
		framed(table(jobRow("48213", "Matched")+`<!-- x -->`+jobRow("48214", "Filled")) + `<a rel="next" href="?page=2">Next</a>`),
		marker + table(rowWith("48213/A", "<button form=f name=a value='b c d e'>Go</button>")) + `<textarea form=f name=t>text</textarea><form id=f method=post action="/interpreter-jobs/48213/matched"><input name=x value=""></form><style>a{}</style>`,
	}
	for _, piece := range []string{"", "x", "<", ">", "-->", "<!--", "</script>", `"`, "'", "<table>", "</table>", "<form>", "</form>", "<title>", "</tr>", "&quot;", "<input type=hidden name=a value=b>", "<template>", "<script>", loginForm} {
		for base := range bases {
			f.Add(base, len(bases[base])/2, 3, piece)
			f.Add(base, len(bases[base])-60, 0, piece)
		}
	}
	c := testClient(f, "https://portal.example.com")
	read := func(body string) (finding, *boardPage) {
		p := pageFrom(c, "/interpreter-jobs", body)
		defer p.release()
		found := p.classify(toLook)
		if found.class != app.PageBoard && found.class != app.PageEmptyBoard {
			return found, nil
		}
		return found, p.boardPage("", p.readBoard(found.board, time.UTC))
	}
	f.Fuzz(func(t *testing.T, base, at, size int, piece string) {
		if base < 0 || base >= len(bases) || at < 0 || at > len(bases[base]) || size < 0 || at+size > len(bases[base]) {
			return
		}
		_, before := read(bases[base])
		body := bases[base][:at] + piece + bases[base][at+size:]
		jobs, _, ok := before.again(pageFrom(c, "/interpreter-jobs", body))
		if !ok {
			return
		}
		found, anew := read(body)
		if anew == nil {
			t.Fatalf("it was taken for the board, and is %q: %s", found.class, found.reason)
		}
		if diff := cmp.Diff(anew.read.jobs, jobs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("it reads otherwise: %s", diff)
		}
		if anew.next != before.next || anew.doubt != before.doubt || anew.read.whole != before.read.whole {
			t.Error("it goes on otherwise")
		}
	})
}

// FuzzDetails holds the same of a job's details, and of the answer to an act.
func FuzzDetails(f *testing.F) {
	for _, page := range nastyPages() {
		f.Add([]byte(page))
	}
	c := testClient(f, "https://portal.example.com")
	f.Fuzz(func(t *testing.T, body []byte) {
		p := pageFrom(c, "/interpreter-jobs/48213", string(body))
		if found := p.classify(toRead); found.class == app.PageDetails {
			d, other := p.readDetails("48213")
			storable(t, "the details", d.Number, d.Type, d.StatusText, other)
			for _, l := range d.Labels {
				storable(t, "a label", l.Label, l.Text)
			}
			for _, form := range []*app.Form{d.AcceptForm, d.RejectForm} {
				if form != nil && !strings.HasPrefix(form.Action, "https://portal.example.com/") {
					t.Errorf("a form goes to %s", form.Action)
				}
			}
		}
		a := &act{client: c, job: app.Job{Number: "48213"}, kind: app.ActAccept}
		reply, asked, _ := a.read(p)
		storable(t, "the reply", reply.Refused, reply.Dialog)
		for _, d := range asked {
			if yes := p.continueForm(d, "48213"); yes != nil && !strings.HasPrefix(yes.Action, "https://portal.example.com/") {
				t.Errorf("the answer goes to %s", yes.Action)
			}
		}
		p.release()
	})
}

// FuzzClassification holds that every page has one class for each thing it can have been
// asked for, whatever its status, and that a page that is refused says why.
func FuzzClassification(f *testing.F) {
	for _, page := range nastyPages() {
		for _, status := range []int{200, 204, 302, 401, 403, 404, 419, 429, 500} {
			f.Add([]byte(page), status)
		}
	}
	c := testClient(f, "https://portal.example.com")
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		for _, want := range []purpose{toLook, toRead, toLogIn, toBeTold} {
			p := pageFrom(c, "/interpreter-jobs", string(body))
			p.status = status
			found := p.classify(want)
			fits := found.class == app.PageBoard || found.class == app.PageEmptyBoard || found.class == app.PageDetails || found.class == app.PageLoggedIn
			if fits && status/100 != 2 {
				t.Errorf("a page with status %d was taken for %q", status, found.class)
			}
			if !fits && found.reason == "" {
				t.Errorf("%q has no reason", found.class)
			}
			if (found.class == app.PageBoard || found.class == app.PageEmptyBoard) != (found.board != nil) {
				t.Errorf("%q without its shape", found.class)
			}
			p.release()
		}
	})
}

// tokensOf writes a page's tokens, texts that touch as one.
func tokensOf(next func() (html.Token, bool)) []html.Token {
	var tokens []html.Token
	for {
		t, ok := next()
		if !ok {
			return tokens
		}
		if last := len(tokens) - 1; t.Type == html.TextToken && last >= 0 && tokens[last].Type == html.TextToken {
			tokens[last].Data += t.Data
			continue
		}
		tokens = append(tokens, t)
	}
}

// FuzzScan holds that the scanner reads what the tokenizer of x/net reads, and where.
func FuzzScan(f *testing.F) {
	for _, page := range nastyPages() {
		f.Add(page)
	}
	for _, page := range []string{
		`<a b=c d='e' f="g" h i = j k= l/>`, `<p a=/><br/><br / >`, `<A B=C b=D>`, `<a b="x&amp;y&copy=1">`, "<a b='\r\n'>", "<a\x00b c\x00=d>",
		`<a =b ==c a/b/=c>`, `<a b="c"d='e'f>`, `<a b='c`, `<a`, `</a b='>'>x</A></a`, `</>`, `</ >x`, `</1>x`, `<1`, `<`, `x<`, `x</`, `<!`, `<?x?>y`, `<!doctype html>x`, `<!DOCTYP`,
		`<!-->x-->`, `<!--->x`, `<!---->x`, `<!--a--!>b-->c`, `<!--a-->b`, `<!--a`, `<!--a--b-->c`, `<![CDATA[x]]>y`,
		`<script>a<b</script >c`, `<script><!--<script></script>--></script>x`, `<script><!--</script>x`, `<script/>a</script>`, `<SCRIPT>a</sCript>b`, `<style>a</styles></style`, `<title>a&amp;b</title>c`, "<textarea>\r\n&lt;</textarea>",
		`<plaintext>a</plaintext>`, `<xmp><b></xmp>`, `<noscript><p></noscript>`, `<iframe><p></iframe`, `a&amp;b&nbsp;c&#0;&notit;`, "a\rb\r\nc", `<title></title>x`,
		strings.Repeat(" a=b", 20) + `<x` + strings.Repeat(" a=b", 20) + `>`,
	} {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		z := html.NewTokenizer(strings.NewReader(page))
		offset := 0
		want := tokensOf(func() (html.Token, bool) {
			if z.Next() == html.ErrorToken {
				return html.Token{}, false
			}
			offset += len(z.Raw())
			t := z.Token()
			if t.Type == html.CommentToken || t.Type == html.DoctypeToken {
				t.Data = ""
			}
			return t, true
		})
		var s scanner
		s.reset([]byte(page))
		last := 0
		got := tokensOf(func() (html.Token, bool) {
			if !s.next() {
				return html.Token{}, false
			}
			if s.start != last || s.end <= s.start {
				t.Fatalf("a token from %d to %d follows one that ended at %d", s.start, s.end, last)
			}
			last = s.end
			token := html.Token{Type: s.kind}
			switch s.kind {
			case html.TextToken:
				token.Data = s.data
			case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
				token.Data, token.DataAtom = s.name, s.tag
				token.Attr = append(token.Attr, s.own...)
			default:
			}
			return token, true
		})
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q is read otherwise: %s", page, diff)
		}
		if last != offset {
			t.Errorf("%q is read to %d, and should be to %d", page, last, offset)
		}
	})
}

// FuzzTree holds that whatever comes, the tree is sound and not too deep.
func FuzzTree(f *testing.F) {
	for _, page := range nastyPages() {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		doc := build(page)
		var walk func(n *html.Node, depth int)
		walk = func(n *html.Node, depth int) {
			if depth > deepest+8 {
				t.Fatal("the tree is too deep")
			}
			for child := n.FirstChild; child != nil; child = child.NextSibling {
				if child.Parent != n || child.NextSibling == nil && n.LastChild != child {
					t.Fatal("the tree is not sound")
				}
				walk(child, depth+1)
			}
		}
		walk(doc.root, 0)
		for _, form := range doc.forms {
			form.fill(nil)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2024-01-15", "15/01/2024", "15 Jan 2024", "Mon 15/01/2024 14:30", "2024-07-14T23:00:00.000000Z", "15th of January, 2024", "½", "15–01–2024"} {
		f.Add(s)
	}
	zone := london(f)
	f.Fuzz(func(t *testing.T, s string) {
		if day, ok := ParseDate(s, zone); ok {
			at, err := time.Parse("2006-01-02", day)
			if err != nil || at.Year() < 1999 || at.Year() > 2200 {
				t.Errorf("%q was read as %q", s, day)
			}
			if again, ok := ParseDate(day, zone); ok && again != day {
				t.Errorf("%q was read as %q, and that as %q", s, day, again)
			}
			if !strings.ContainsAny(s, "0123456789") {
				t.Errorf("%q holds no number, and was read as %q", s, day)
			}
		} else if day != "" {
			t.Errorf("%q was not understood, and is %q", s, day)
		}
		if at, ok := ParseMoment(s, zone); ok && at.Location() != time.UTC {
			t.Errorf("%q was read in %s", s, at.Location())
		}
		if at, ok := ParseTime(s); ok {
			if _, err := time.Parse("15:04", at); err != nil {
				t.Errorf("%q was read as %q", s, at)
			}
		}
		if at := appointmentTime(s, "2024-01-15", 30); at != "" {
			if _, err := time.Parse("15:04", at); err != nil {
				t.Errorf("%q was read as %q", s, at)
			}
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"30 mins", "1 hour 30 minutes", "1h30", "1.5 hours", "half an hour", "1½ hours", "01:30:00", "1 1/2 hrs", "three quarters of an hour", "an hour and a half"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		minutes, ok := ParseDuration(s)
		if ok != (minutes != 0) || minutes < 0 || minutes > 7*24*60 {
			t.Errorf("%q was read as %d minutes (%v)", s, minutes, ok)
		}
		if ok && !strings.ContainsAny(strings.ToLower(s), "hm:") {
			t.Errorf("%q says neither hours nor minutes, and was read as %d minutes", s, minutes)
		}
	})
}

// FuzzRetryAfter holds that no header makes the bot stay away for ever, or come back in the past.
func FuzzRetryAfter(f *testing.F) {
	f.Add("17", "")
	f.Add("Sun, 31 Jan 2027 12:00:40 GMT", "Sun, 31 Jan 2027 12:00:00 GMT")
	f.Fuzz(func(t *testing.T, retry, date string) {
		h := http.Header{"Retry-After": {retry}, "Date": {date}}
		if d := retryAfter(h, time.Unix(0, 0)); d < 0 || d > longestRetryAfter {
			t.Errorf("%q at %q is %s", retry, date, d)
		}
	})
}
