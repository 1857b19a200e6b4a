package web

// The acts on the bot. What can be taken back is done at once and offers that.

func (s *Site) startBot(v *visit) (*after, error) {
	if err := s.Bot.Start(v.r.Context(), v.r.PostForm.Get("session_name")); err != nil {
		return nil, err
	}
	return &after{say: "flash.started", undo: "/bot/stop"}, nil
}

func (s *Site) stopBot(v *visit) (*after, error) {
	if err := s.Bot.Stop(v.r.Context()); err != nil {
		return nil, err
	}
	return &after{say: "flash.stopped"}, nil
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
