package web

import (
	"net/url"
	"strings"
)

// The acts on the bot. What can be taken back is done at once and offers that.

func (s *Site) startBot(v *visit) (*after, error) {
	if err := s.Bot.Start(v.r.Context(), shortened(strings.TrimSpace(v.r.PostForm.Get("session_name")), longestSubject)); err != nil {
		return nil, err
	}
	return &after{say: "flash.started", undo: "/bot/stop"}, nil
}

func (s *Site) stopBot(v *visit) (*after, error) {
	running := s.Bot.Status(v.r.Context()).Session
	if err := s.Bot.Stop(v.r.Context()); err != nil {
		return nil, err
	}
	next := &after{say: "flash.stopped"}
	if running.Running() {
		next.undo = "/bot/again/" + url.PathEscape(running.ID)
	}
	return next, nil
}

func (s *Site) continueBot(v *visit) (*after, error) {
	if err := s.Bot.Again(v.r.Context(), v.r.PathValue("session")); err != nil {
		return nil, err
	}
	return &after{say: "flash.resumed", undo: "/bot/stop"}, nil
}

func (s *Site) pauseBot(v *visit) (*after, error) {
	if err := s.Bot.Pause(v.r.Context()); err != nil {
		return nil, err
	}
	return &after{say: "flash.paused", undo: "/bot/resume"}, nil
}

func (s *Site) resumeBot(v *visit) (*after, error) {
	if err := s.Bot.Resume(v.r.Context()); err != nil {
		return nil, err
	}
	return &after{say: "flash.resumed", undo: "/bot/pause"}, nil
}

func (s *Site) rearmBot(v *visit) (*after, error) {
	if err := s.Bot.Rearm(v.r.Context()); err != nil {
		return nil, err
	}
	return &after{say: "flash.rearmed"}, nil
}
