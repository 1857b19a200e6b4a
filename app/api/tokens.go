package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/atozbot/atozbot/app"
)

// TokenJSON is a stored token, without its secret.
type TokenJSON struct {
	ID         string     `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	Name       string     `json:"name" example:"phone"`
	Scope      Scope      `json:"scope" enum:"read,control,admin" example:"read"`
	CreatedBy  string     `json:"created_by" example:"admin"`
	CreatedAt  *time.Time `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at" doc:"Null: never."`
	LastUsedAt *time.Time `json:"last_used_at" doc:"To the minute; null: not yet."`
	RevokedAt  *time.Time `json:"revoked_at" doc:"Null: not revoked."`
}

// NewTokenJSON is a token as it is shown once.
type NewTokenJSON struct {
	TokenJSON
	Token string `json:"token" doc:"The token itself. It is not stored and not shown again." example:"atoz_3f0kQ1v8Jc2mXw7d…"`
}

func tokenJSON(t Token) TokenJSON {
	return TokenJSON{
		ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedBy: t.CreatedBy, CreatedAt: moment(t.CreatedAt),
		ExpiresAt: moment(t.ExpiresAt), LastUsedAt: moment(t.LastUsedAt), RevokedAt: moment(t.RevokedAt),
	}
}

type (
	tokensOutput struct {
		ListHeaders
		Body []TokenJSON
	}
	newTokenInput struct {
		Body struct {
			Name      string     `json:"name" minLength:"1" maxLength:"100" doc:"What it is for." example:"phone"`
			Scope     Scope      `json:"scope" enum:"read,control,admin" example:"read"`
			ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it ends; never where it is left out." example:"2028-01-31T00:00:00Z"`
		}
	}
	newTokenOutput struct{ Body NewTokenJSON }
	tokenInput     struct {
		ID string `path:"id" maxLength:"64" pattern:"^[0-9A-Za-z-]+$" doc:"The token's id." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	}
)

func (s *Server) tokenRoutes() {
	register(s, operation{
		method: http.MethodGet, path: "/api/tokens", id: "list-tokens", tag: tagAccess, scope: ScopeAdmin,
		summary: "Tokens, newest first", description: "Revoked and expired ones too; never the token itself.", errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.listTokens)
	register(s, operation{
		method: http.MethodPost, path: "/api/tokens", id: "create-token", tag: tagAccess, scope: ScopeAdmin,
		summary: "Make a token", description: "It is shown in this answer and never again: only a hash of it is stored.",
		errors: []int{http.StatusServiceUnavailable}, created: true,
	}, s.createToken)
	register(s, operation{
		method: http.MethodDelete, path: "/api/tokens/{id}", id: "revoke-token", tag: tagAccess, scope: ScopeAdmin,
		summary: "Revoke a token", description: "From now on it opens nothing.",
		errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.revokeToken)
}

func (s *Server) listTokens(ctx context.Context, in *struct{ ListInput }) (*tokensOutput, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	page, err := s.o.Tokens.Tokens(ctx, w)
	if err != nil {
		return nil, err
	}
	return &tokensOutput{ListHeaders: in.headers(page.Total, page.Next), Body: each(page.Items, tokenJSON)}, nil
}

// tokenBytes is the randomness of a token: 256 bits, so that a plain SHA-256 of it is
// as good as any slow hash.
const tokenBytes = 32

func (s *Server) createToken(ctx context.Context, in *newTokenInput) (*newTokenOutput, error) {
	now := s.o.Now().UTC()
	t := Token{ID: app.NewID(now), Name: clean(in.Body.Name), Scope: in.Body.Scope, CreatedBy: WhoOf(ctx).Name, CreatedAt: now}
	if in.Body.ExpiresAt != nil {
		t.ExpiresAt = in.Body.ExpiresAt.UTC()
		if !t.ExpiresAt.After(now) || !inRange(t.ExpiresAt) {
			return nil, &app.Error{
				Code: app.CodeInvalid, Message: "The request has fields that cannot be accepted.",
				Fields: map[string]string{"expires_at": "expected a time to come"},
			}
		}
	}
	var secret [tokenBytes]byte
	_, _ = rand.Read(secret[:]) // crypto/rand.Read never fails: it ends the process instead.
	token := "atoz_" + base64.RawURLEncoding.EncodeToString(secret[:])
	hash := sha256.Sum256([]byte(token))
	if err := s.o.Tokens.AddToken(ctx, t, hex.EncodeToString(hash[:])); err != nil {
		return nil, err
	}
	s.audit(ctx, auditOf("token.create", t.Name, nil, tokenJSON(t)))
	return &newTokenOutput{Body: NewTokenJSON{TokenJSON: tokenJSON(t), Token: token}}, nil
}

func (s *Server) revokeToken(ctx context.Context, in *tokenInput) (*struct{}, error) {
	if err := s.o.Tokens.RevokeToken(ctx, in.ID, s.o.Now().UTC()); err != nil {
		return nil, err
	}
	s.audit(ctx, auditOf("token.revoke", in.ID, nil, nil))
	return nil, nil
}
