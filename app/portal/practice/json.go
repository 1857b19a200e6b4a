package practice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// Load reads a scenario from JSON, with durations as "1.5s", and checks it.
func Load(r io.Reader) (Scenario, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return Scenario{}, fmt.Errorf("read the scenario: %w", err)
	}
	var s Scenario
	if err := decode(data, &s); err != nil {
		return Scenario{}, fmt.Errorf("read the scenario: %w", err)
	}
	return s, s.Validate()
}

// decode reads JSON in which durations are texts. Unknown fields are mistakes.
func decode(data []byte, into any) error {
	var tree any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the end")
	}
	tree, err := walk(reflect.TypeOf(into), tree, func(v any) (any, error) {
		text, ok := v.(string)
		if !ok {
			return v, nil // A number: nanoseconds, as the standard library writes them.
		}
		length, err := time.ParseDuration(text)
		return json.Number(fmt.Sprint(int64(length))), err
	})
	if err != nil {
		return err
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	strict := json.NewDecoder(bytes.NewReader(plain))
	strict.DisallowUnknownFields()
	return strict.Decode(into)
}

// encode writes JSON with durations as texts.
func encode(from any) ([]byte, error) {
	plain, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	tree, err = walk(reflect.TypeOf(from), tree, func(v any) (any, error) {
		number, ok := v.(json.Number)
		if !ok {
			return v, nil
		}
		n, err := number.Int64()
		return time.Duration(n).String(), err
	})
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(tree, "", "  ")
}

var durationType = reflect.TypeFor[time.Duration]()

// walk goes through a JSON tree along a Go type, and changes what stands where the type
// has a duration.
func walk(t reflect.Type, v any, change func(any) (any, error)) (any, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == durationType {
		return change(v)
	}
	var err error
	switch inner := v.(type) {
	case []any:
		if t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
			return v, nil
		}
		for i := range inner {
			if inner[i], err = walk(t.Elem(), inner[i], change); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
	case map[string]any:
		for name := range inner {
			of, known := typeOfField(t, name)
			if !known {
				continue // The strict decoder complains of it, in its own words.
			}
			if inner[name], err = walk(of, inner[name], change); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return v, nil
}

// typeOfField gives the type of what stands under a name in an object of type t.
func typeOfField(t reflect.Type, name string) (reflect.Type, bool) {
	switch t.Kind() {
	case reflect.Map:
		return t.Elem(), true
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && tag == "" {
				if of, known := typeOfField(f.Type, name); known {
					return of, true
				}
			}
			if tag == name {
				return f.Type, true
			}
		}
	}
	return nil, false
}
