// test/peers/status-peer/output.go - one JSON object a line: events on standard output, commands from standard input.

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"sync"
)

type fields map[string]any

// output writes events; lines of several goroutines never mix.
type output struct {
	mutex  sync.Mutex
	writer io.Writer
}

func (o *output) event(name string, f fields) {
	line := fields{"event": name}
	for key, value := range f {
		line[key] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		text, _ = json.Marshal(fields{"event": "error", "reason": err.Error()})
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_, _ = o.writer.Write(append(text, '\n'))
}

func (o *output) failure(where string, err error) {
	o.event("error", fields{"where": where, "reason": err.Error()})
}

// answer ends a command: `done` with what it gives, or `failed` with the reason; both carry the command's tag.
func (o *output) answer(tag any, f fields, err error) {
	if err != nil {
		o.event("failed", fields{"tag": tag, "reason": err.Error()})
		return
	}
	line := fields{"tag": tag}
	for key, value := range f {
		line[key] = value
	}
	o.event("done", line)
}

// commands gives the lines of standard input that are not empty; the channel closes at its end.
func commands() <-chan []byte {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		reader := bufio.NewReader(os.Stdin)
		for {
			line, err := reader.ReadBytes('\n')
			if line = bytes.TrimSpace(line); len(line) > 0 {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
}
