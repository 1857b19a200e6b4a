package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// text is kong's mapper for everything but switches.
type text struct{ reader *Reader }

// Decode reads one value. A mistake in a setting is noted and not returned, so that the
// next one is found as well; a flag without its value is no setting yet and is returned.
func (m text) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	token := ctx.Scan.Peek()
	if !token.IsValue() {
		return fmt.Errorf("needs a value; one that begins with a dash is written --%s=VALUE", ctx.Value.Name)
	}
	written := ctx.Scan.Pop().String()
	name := ctx.Value.Tag.Get("setting")
	if name == "" {
		return decode(ctx.Value.Tag, written, target)
	}
	if !m.reader.secret[name] {
		written = strings.TrimSpace(written)
	}
	if written == "" {
		// A flag with nothing after its equals sign undoes what the environment says.
		written = ctx.Value.Default
	}
	if err := decode(ctx.Value.Tag, written, target); err != nil {
		m.reader.wrong(name, err.Error())
	}
	return nil
}

// boolean is kong's mapper for switches, which need no value.
type boolean struct{ reader *Reader }

// IsBool tells kong so.
func (boolean) IsBool() bool { return true }

// Decode reads a switch; alone it stands for yes.
func (m boolean) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		target.SetBool(true)
		return nil
	}
	written := ctx.Scan.Pop().String()
	value, ok := truth(written)
	name := ctx.Value.Tag.Get("setting")
	switch {
	case ok:
		target.SetBool(value)
	case strings.TrimSpace(written) == "":
		target.SetBool(ctx.Value.Default == "true")
	case name == "":
		return fmt.Errorf("%q is neither true nor false", written)
	default:
		m.reader.wrong(name, fmt.Sprintf("%q is neither true nor false", written))
	}
	return nil
}

func truth(written string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(written)) {
	case "true", "1", "yes", "on", "t", "y":
		return true, true
	case "false", "0", "no", "off", "f", "n":
		return false, true
	}
	return false, false
}

// decode puts what was written into a field, by the field's type and tag.
func decode(tag *kong.Tag, written string, target reflect.Value) error {
	switch field := target.Addr().Interface().(type) {
	case *time.Duration:
		return decodeDuration(tag, written, field)
	case *int:
		return decodeInt(tag, written, field)
	case *float64:
		return decodeFloat(tag, written, field)
	case *Secret:
		*field = NewSecret(written)
		return nil
	case interface{ parse(string) error }:
		if written == "" {
			target.SetZero()
			return nil
		}
		return field.parse(written)
	}
	if words := tag.Get("words"); words != "" {
		return decodeWord(words, written, target)
	}
	if strings.ContainsRune(written, 0) {
		return fmt.Errorf("holds a NUL character")
	}
	target.SetString(written)
	return nil
}

func decodeInt(tag *kong.Tag, written string, field *int) error {
	low, _ := strconv.Atoi(tag.Get("min"))
	high, _ := strconv.Atoi(tag.Get("max"))
	value, err := strconv.Atoi(written)
	if err != nil || value < low || value > high {
		return fmt.Errorf("%q is no whole number from %d to %d", written, low, high)
	}
	*field = value
	return nil
}

func decodeFloat(tag *kong.Tag, written string, field *float64) error {
	low, _ := strconv.ParseFloat(tag.Get("min"), 64)
	high, _ := strconv.ParseFloat(tag.Get("max"), 64)
	value, err := strconv.ParseFloat(written, 64)
	// The comparison is turned round because NaN compares with nothing.
	if err != nil || !(value >= low && value <= high) {
		return fmt.Errorf("%q is no number from %s to %s", written, tag.Get("min"), tag.Get("max"))
	}
	*field = value
	return nil
}

// decodeDuration takes a plain number for seconds: so the predecessor's users write it.
func decodeDuration(tag *kong.Tag, written string, field *time.Duration) error {
	low, _ := time.ParseDuration(tag.Get("min"))
	high, _ := time.ParseDuration(tag.Get("max"))
	value, err := time.ParseDuration(written)
	if seconds, numberErr := strconv.ParseFloat(written, 64); numberErr == nil {
		err = nil
		value = high + 1
		if math.Abs(seconds) <= high.Seconds() {
			value = time.Duration(seconds * float64(time.Second))
		}
	}
	if err != nil || value < low || value > high {
		return fmt.Errorf("%q is no time from %s to %s, such as 500ms, 3s or 2m", written, tag.Get("min"), tag.Get("max"))
	}
	*field = value
	return nil
}

func decodeWord(words, written string, target reflect.Value) error {
	word := strings.ToLower(written)
	if word == "warning" {
		word = "warn" // The predecessor's word.
	}
	for known := range strings.SplitSeq(words, ",") {
		if word == known {
			target.SetString(word)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", written, strings.ReplaceAll(words, ",", ", "))
}

// parse takes a name or an address, the latter also in brackets.
func (h *Host) parse(written string) error {
	bare := strings.TrimSuffix(strings.TrimPrefix(written, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		*h = Host(bare)
		return nil
	}
	if strings.ContainsAny(written, "/:@[] \t") || strings.ContainsFunc(written, notVisible) {
		return fmt.Errorf("%q is no host name and no address; the port has a setting of its own", written)
	}
	*h = Host(written)
	return nil
}

// Parse reads HOST:PORT; the host may be empty.
func (l *Listen) Parse(written string) error { return l.parse(written) }

func (l *Listen) parse(written string) error {
	host, port, err := net.SplitHostPort(written)
	if err != nil {
		return fmt.Errorf("%q is no HOST:PORT", written)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		return fmt.Errorf("%q has no port from 0 to 65535", written)
	}
	var name Host
	if host != "" {
		if err := name.parse(host); err != nil {
			return err
		}
	}
	*l = Listen(net.JoinHostPort(string(name), port))
	return nil
}

func (w *WebAddress) parse(written string) error {
	address, err := url.Parse(written)
	if err != nil || address.Host == "" || address.Hostname() == "" || address.Scheme != "http" && address.Scheme != "https" {
		return fmt.Errorf("must be an address that begins with https:// or http://")
	}
	if address.User != nil || address.RawQuery != "" || address.Fragment != "" {
		return fmt.Errorf("must be an address with neither a user's name nor anything after ? or #")
	}
	*w = WebAddress(strings.TrimRight(written, "/"))
	return nil
}

func (b *BoardPath) parse(written string) error {
	path, err := url.Parse(written)
	if err != nil || path.Scheme != "" || path.Host != "" || strings.HasPrefix(written, "//") || path.Fragment != "" || strings.ContainsFunc(written, notVisible) {
		return fmt.Errorf("%q is no path such as /interpreter-jobs", written)
	}
	if !strings.HasPrefix(written, "/") {
		written = "/" + written
	}
	*b = BoardPath(written)
	return nil
}

func (u *UserAgent) parse(written string) error {
	for _, letter := range written {
		if letter < ' ' || letter > '~' {
			return fmt.Errorf("%q holds characters that no header can carry", written)
		}
	}
	*u = UserAgent(written)
	return nil
}

func (p *Proxies) parse(written string) error {
	*p = nil
	for _, word := range strings.FieldsFunc(written, func(r rune) bool { return r == ',' || r == ' ' }) {
		if address, err := netip.ParseAddr(word); err == nil && address.Zone() == "" {
			*p = append(*p, netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(word)
		if err != nil {
			return fmt.Errorf("%q is no address and no network such as 10.0.0.0/8", word)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

// editDistance counts the letters to change, to add or to take away, or two neighbours
// to swap, to make one name of the other (the optimal string alignment distance).
func editDistance(a, b string) int {
	before, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
