package notify

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	netsmtp "net/smtp"
	"strconv"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"
)

// implicitTLS is the port at which mail servers speak TLS from the first byte on.
const implicitTLS = 465

// mail sends a letter by e-mail. The service's own sending makes its connections by
// itself, past every policy; what its address says counts here too.
func (w *way) mail(ctx context.Context, c *smtp.Config, l letter) error {
	c.FixEmailTags()
	conn, err := w.connect(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	secure := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	atOnce := c.Encryption == smtp.EncMethods.ImplicitTLS || c.Encryption == smtp.EncMethods.Auto && c.Port == implicitTLS
	if atOnce {
		conn = tls.Client(conn, secure)
	}
	client, err := netsmtp.NewClient(conn, c.Host)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := greet(client, c, atOnce, secure); err != nil {
		return err
	}
	var failed error
	for _, to := range c.ToAddresses {
		if err := mailTo(client, c, to, l); err != nil {
			failed = errors.Join(failed, err)
			if err := client.Reset(); err != nil {
				return errors.Join(failed, err)
			}
		}
	}
	_ = client.Quit() // The mail is taken; some servers close without an answer.
	return failed
}

// greet brings a connection as far as the first mail: encrypted, and logged in.
func greet(client *netsmtp.Client, c *smtp.Config, encrypted bool, secure *tls.Config) error {
	name := c.ClientHost
	if name == "auto" || name == "" {
		name = "localhost" // Nobody needs to know what this machine is called.
	}
	if err := client.Hello(name); err != nil {
		return err
	}
	if !encrypted {
		demanded := c.RequireStartTLS || c.Encryption == smtp.EncMethods.ExplicitTLS // Whatever else the address says.
		wanted := demanded || c.UseStartTLS && c.Encryption != smtp.EncMethods.None
		switch offered, _ := client.Extension("STARTTLS"); {
		case wanted && offered:
			if err := client.StartTLS(secure); err != nil {
				return err
			}
		case demanded:
			return errors.New("the mail server offers no encryption")
		}
	}
	switch {
	case c.Auth == smtp.AuthTypes.None || c.Auth == smtp.AuthTypes.Unknown && c.Username == "":
		return nil
	case c.Auth == smtp.AuthTypes.CRAMMD5:
		return client.Auth(netsmtp.CRAMMD5Auth(c.Username, c.Password))
	case c.Auth == smtp.AuthTypes.OAuth2:
		if _, encrypted := client.TLSConnectionState(); !encrypted {
			return errors.New("the mail server offers no encryption, and would be sent a token")
		}
		return client.Auth(smtp.OAuth2Auth(c.Username, c.Password))
	default: // It refuses to send the password in the clear to another machine.
		return client.Auth(netsmtp.PlainAuth("", c.Username, c.Password, c.Host))
	}
}

func mailTo(client *netsmtp.Client, c *smtp.Config, to string, l letter) error {
	if err := client.Mail(c.FromAddress); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	out, err := client.Data()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, mailOf(c.FromName, c.FromAddress, to, l))
	return errors.Join(err, out.Close())
}

// mailOf is a letter as mail servers carry it (RFC 5322, 2045): nothing in it ends a
// header early, and no character is lost on the way.
func mailOf(name, from, to string, l letter) string {
	var body strings.Builder
	text := quotedprintable.NewWriter(&body)
	_, _ = io.WriteString(text, strings.ReplaceAll(l.message, "\n", "\r\n")) // Memory takes everything.
	_ = text.Close()
	_, domain, _ := strings.Cut(from, "@")
	return fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n",
		&mail.Address{Name: name, Address: oneLine(from)}, &mail.Address{Address: oneLine(to)}, mime.QEncoding.Encode("utf-8", oneLine(l.title)),
		l.at.Format(time.RFC1123Z), rand.Text(), oneLine(domain), body.String())
}

// oneLine takes line breaks out.
func oneLine(text string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(text) }
