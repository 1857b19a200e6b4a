package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// boardOf writes a board as the portal's looks: a head with a menu, a table of n jobs,
// and a token in every form.
func boardOf(n int, token string) string {
	var s strings.Builder
	s.WriteString(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Interpreter jobs</title>
<meta name="csrf-token" content="` + token + `"><link rel="stylesheet" href="/css/app.css?id=1234">
<script>window.Laravel = {"csrfToken":"` + token + `"};</script></head>
<body class="page page--board"><header class="header"><div class="header__inner"><a class="header__logo" href="/"><svg viewBox="0 0 10 10"><path d="M0 0h10v10H0z"/></svg></a>
<nav class="nav"><ul class="nav__list"><li class="nav__item"><a href="/dashboard">Dashboard</a></li><li class="nav__item"><a href="/interpreter-jobs">Jobs</a></li><li><a href="/my-jobs">My jobs</a></li></ul></nav>
<div class="header__user user-menu"><span class="header__name">Ms Example</span><form method="POST" action="/logout"><input type="hidden" name="_token" value="` + token + `"><button type="submit">Log out</button></form></div></div></header>
<main><section class="content__table"><h1>Interpreter jobs</h1><table class="table"><thead><tr class="table__row table__row--head"><th>Ref</th><th>Submitted</th><th>Date</th><th>Time</th><th>Duration</th><th>Language</th><th>Status</th><th></th></tr></thead><tbody>
`)
	for i := range n {
		fmt.Fprintf(&s, `<tr class="table__row" data-id="%[1]d">
	<td class="table__data table__data--ref">
		<strong>%[1]d</strong>/A
	</td>
	<td class="table__data">14/01/2027 09:%02[2]d</td>
	<td class="table__data">%[3]s</td>
	<td class="table__data">14:30</td>
	<td class="table__data">30 mins</td>
	<td class="table__data">Polish&nbsp;(Telephone)</td>
	<td class="table__data"><span class="status status--matched">Matched</span></td>
	<td class="table__data table__data--actions"><a class="btn btn--view" href="/interpreter-jobs/%[1]d">View</a>
		<form method="POST" action="/interpreter-jobs/%[1]d/matched" class="form form--inline"><input type="hidden" name="_token" value="%[4]s"><input type="hidden" name="_method" value="PUT"><button type="submit" class="btn btn--accept" name="accept" value="1">Accept</button></form></td>
</tr>
`, 48000+i, i%60, "15/02/2027", token)
	}
	s.WriteString(`</tbody></table></section></main><footer class="footer"><p>&copy; Example</p></footer></body></html>`)
	return s.String()
}

func testClient(tb testing.TB, base string) *Client {
	tb.Helper()
	c, err := New(Options{BaseURL: base, Username: "interpreter@example.com", Password: "a secret & more"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// pageFrom is a page as if it had come from the portal.
func pageFrom(c *Client, path, body string) *page {
	u, err := url.Parse("https://portal.example.com" + path)
	if err != nil {
		panic(err)
	}
	return &page{
		client: c, url: u, status: http.StatusOK, body: []byte(body),
		header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
	}
}

const (
	firstToken  = "q7gkGqfXhWz0eYpM3nD9aTtR5sUvL1oBcK2xJiE8"
	secondToken = "Zp4mWn8sQe1rTy6uIo3pAs5dFg7hJk9lXc2vBn0m"
)

// BenchmarkBoard tells what a look costs beside the network, with 50 jobs on the board.
func BenchmarkBoard(b *testing.B) {
	const rows = 50
	c := testClient(b, "https://portal.example.com")
	board, renewed := boardOf(rows, firstToken), boardOf(rows, secondToken)
	decode := func(b *testing.B, body string) *boardPage {
		p := pageFrom(c, "/interpreter-jobs", body)
		defer p.release()
		f := p.classify(toLook)
		if f.board == nil {
			b.Fatal(f.class, f.reason)
		}
		read := p.boardPage("", p.readBoard(f.board, time.UTC))
		if len(read.read.jobs) != rows || read.read.jobs[0].AcceptForm == nil {
			b.Fatalf("%d jobs were read", len(read.read.jobs))
		}
		return read
	}
	b.Run("changed", func(b *testing.B) {
		b.SetBytes(int64(len(board)))
		b.ReportAllocs()
		for b.Loop() {
			decode(b, board)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("unchanged but for its tokens", func(b *testing.B) {
		before := decode(b, board)
		p := pageFrom(c, "/interpreter-jobs", renewed)
		b.SetBytes(int64(len(board)))
		b.ReportAllocs()
		for b.Loop() {
			if jobs, same, ok := before.again(p); !ok || same || jobs[0].AcceptForm.Fields[0].Value != secondToken {
				b.Fatal("the board was not recognised")
			}
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("unchanged to the byte", func(b *testing.B) {
		before := decode(b, board)
		p := pageFrom(c, "/interpreter-jobs", board)
		b.SetBytes(int64(len(board)))
		b.ReportAllocs()
		for b.Loop() {
			if _, same, ok := before.again(p); !ok || !same {
				b.Fatal("the board was not recognised")
			}
		}
	})
}
