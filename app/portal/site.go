package portal

import (
	"net/url"
	"slices"
	"strings"
)

// site is where the portal stands: which addresses are its own, and which of them mean
// what. It does not change; an upgrade to https makes a new one.
type site struct {
	base   *url.URL // Its path has no slash at the end.
	login  string   // Path below base.
	board  string   // Path below base, without its query.
	query  string   // The board's query, or "".
	accept []string // Path templates below base, {id} standing for a job's number.
}

func newSite(base *url.URL, profile *Profile, jobsPath string) *site {
	s := &site{base: base, login: pathAlone(string(profile.paths.login)), accept: []string{string(profile.paths.accept)}}
	board := string(profile.paths.board)
	if jobsPath != "" {
		// Where the board is moved and its forms are moved with it, their paths begin the
		// same way as before.
		if tail, below := strings.CutPrefix(string(profile.paths.accept), pathAlone(board)); below {
			if moved := strings.TrimSuffix(pathAlone(jobsPath), "/") + tail; moved != s.accept[0] {
				s.accept = append(s.accept, moved)
			}
		}
		board = jobsPath
	}
	s.board = pathAlone(board)
	_, s.query, _ = strings.Cut(board, "?")
	return s
}

func pathAlone(s string) string {
	s, _, _ = strings.Cut(s, "?")
	return s
}

// address gives the absolute address of a path of the portal.
func (s *site) address(path, query string) *url.URL {
	u := *s.base
	escaped := s.base.EscapedPath() + path
	if decoded, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = decoded, escaped
	} else {
		u.Path, u.RawPath = escaped, ""
	}
	u.RawQuery = query
	return &u
}

func (s *site) loginAddress() *url.URL { return s.address(s.login, "") }
func (s *site) boardAddress() *url.URL { return s.address(s.board, s.query) }

// ours tells whether u is the portal itself: the same scheme, host and port, or the same
// host by https where the portal was given as http. Cookies know nothing of ports, so
// another port of the same host is another site.
func (s *site) ours(u *url.URL) bool {
	if !strings.EqualFold(hostname(u), hostname(s.base)) {
		return false
	}
	if u.Scheme == s.base.Scheme {
		return port(u) == port(s.base)
	}
	return s.base.Scheme == "http" && u.Scheme == "https"
}

// onceOurs tells whether u was the portal's address before it moved us to https.
func (s *site) onceOurs(u *url.URL) bool {
	return s.base.Scheme == "https" && u.Scheme == "http" && strings.EqualFold(hostname(u), hostname(s.base))
}

func hostname(u *url.URL) string { return strings.TrimSuffix(u.Hostname(), ".") }

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// may tells whether a page at from may send us to to: only to the portal itself, and
// never from https to http.
func (s *site) may(from, to *url.URL) bool {
	return s.ours(to) && (from.Scheme != "https" || to.Scheme == "https")
}

// path gives u's path below the base, or false where it is not there. Where the portal
// stands below a path of its host, its links may have been written without that path:
// then theirs is taken as it is.
func (s *site) path(u *url.URL) string {
	escaped := u.EscapedPath()
	if below, ok := strings.CutPrefix(escaped, s.base.EscapedPath()); ok && strings.HasPrefix(below, "/") {
		return below
	}
	return escaped
}

func (s *site) isLogin(u *url.URL) bool { return s.ours(u) && samePath(s.path(u), s.login) }
func (s *site) isBoard(u *url.URL) bool { return s.ours(u) && samePath(s.path(u), s.board) }

func samePath(a, b string) bool {
	return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// accepts gives the number of the job that is accepted by submitting a form to the path:
// it is exactly that of the profile, with a number in it. "" for any other path.
func (s *site) accepts(path string) string {
	for _, template := range s.accept {
		before, after, _ := strings.Cut(template, "{id}")
		if len(path) <= len(before)+len(after) || !strings.HasPrefix(path, before) || !strings.HasSuffix(path, after) {
			continue
		}
		if number := path[len(before) : len(path)-len(after)]; isNumber(number) {
			return number
		}
	}
	return ""
}

// acts tells whether a path is, or stands below, one by which some job is acted upon.
// Such an address is never asked for as a page.
func (s *site) acts(path string) bool {
	return slices.ContainsFunc(s.accept, func(template string) bool {
		before, after, _ := strings.Cut(template, "{id}")
		rest, ok := strings.CutPrefix(path, before)
		if !ok || after == "" {
			return false
		}
		_, rest, _ = strings.Cut(rest, "/")
		after = strings.TrimPrefix(after, "/")
		return rest == after || strings.HasPrefix(rest, after+"/")
	})
}

// numbersIn gives the job numbers that stand in an address: its path's segments of
// digits alone, and the values of its query but for a page's number.
func numbersIn(path, query string) []string {
	var found []string
	for segment := range strings.SplitSeq(path, "/") {
		if isNumber(segment) {
			found = append(found, segment)
		}
	}
	for field := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(field, "=")
		if isNumber(value) && !strings.EqualFold(key, "page") {
			found = append(found, value)
		}
	}
	return found
}

// about tells whether an address that names jobs names this one.
func about(path, query, number string) (named, other bool) {
	numbers := numbersIn(path, query)
	named = slices.Contains(numbers, number)
	return named, len(numbers) > 0 && !named
}

// isNumber tells whether s can be a job's number: digits alone, and not endlessly many.
func isNumber(s string) bool {
	if s == "" || len(s) > 18 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// link is an address written on a page that leads to the portal itself.
type link struct {
	absolute    string
	path, query string // The path below the portal's base.
}

// link reads an address as it is written on the page. It is false for one that cannot be
// asked for, leads to another site, or from https to http. Nearly every address on a
// board is a plain path, which needs no parsing.
func (p *page) link(written string) (link, bool) {
	site := p.client.site.Load()
	if p.doc.base == "" && isPlainPath(written) {
		l := link{absolute: p.url.Scheme + "://" + p.url.Host + written, path: written}
		if base := site.base.EscapedPath(); base != "" {
			if below, ok := strings.CutPrefix(written, base); ok && strings.HasPrefix(below, "/") {
				l.path = below
			}
		}
		return l, site.ours(p.url)
	}
	u := p.resolve(written)
	if u != nil && p.url.Scheme == "https" && u.Scheme == "http" && port(u) == "80" && strings.EqualFold(hostname(u), hostname(p.url)) {
		// A portal behind a proxy that ends the encryption often takes itself for http.
		u.Scheme, u.Host = "https", p.url.Host
	}
	if u == nil || !site.may(p.url, u) {
		return link{}, false
	}
	return link{absolute: u.String(), path: site.path(u), query: u.RawQuery}, true
}

// isPlainPath tells an absolute path of letters, digits, dashes, underlines and single
// slashes alone.
func isPlainPath(s string) bool {
	if s == "" || s[0] != '/' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '/' && (i == 0 || s[i-1] != '/'):
		default:
			return false
		}
	}
	return true
}

// resolve makes the absolute address of a link or form's action as it is written on a
// page, or nil where it is none that can be asked for.
func resolve(page *url.URL, base, written string) *url.URL {
	from := page
	if base != "" && strings.TrimSpace(written) != "" { // An empty address is the page itself.
		if u, err := page.Parse(base); err == nil {
			from = u
		}
	}
	u, err := from.Parse(cleanAddress(written))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	u.Fragment, u.RawFragment, u.User = "", "", nil
	return u
}

// cleanAddress drops what a browser drops from a written address: white space around it,
// and line breaks and tabs within.
func cleanAddress(s string) string {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "\t\r\n") {
		s = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(s)
	}
	return s
}
