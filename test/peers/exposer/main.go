// Program exposer serves metrics of the real Go client library, native histograms among them, in whatever format it is asked
// for. A reader (its User-Agent) gets one step of a fixed history with each request to a path, with the step's own time, so
// that any two readers end up with the same samples.
package main

import (
	"flag"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// source is what an instrumented program would have.
type source struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	heat     prometheus.Gauge
	summary  prometheus.Summary
	classic  prometheus.Histogram
	both     *prometheus.HistogramVec
	native   prometheus.Histogram
}

func newSource() *source {
	s := &source{registry: prometheus.NewRegistry()}
	s.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "shop_requests_total", Help: "Requests."}, []string{"code"})
	s.heat = prometheus.NewGauge(prometheus.GaugeOpts{Name: "shop_heat", Help: "Degrees."})
	s.summary = prometheus.NewSummary(prometheus.SummaryOpts{Name: "shop_wait_seconds", Help: "Waiting.", Objectives: map[float64]float64{0.5: 0, 0.9: 0, 1: 0}})
	s.classic = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "shop_classic_seconds", Help: "Classic.", Buckets: []float64{0.1, 0.5, 1, 10}})
	s.both = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "shop_both_seconds", Help: "Both.", Buckets: []float64{0.1, 1, 10},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100}, []string{"path"})
	s.native = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "shop_balance", Help: "Native, of both signs.",
		NativeHistogramBucketFactor: 1.02, NativeHistogramZeroThreshold: 0.01})
	s.registry.MustRegister(s.requests, s.heat, s.summary, s.classic, s.both, s.native)
	return s
}

// observe is one step's work; all of it depends on the step alone.
func (s *source) observe(step int) {
	labels := prometheus.Labels{"trace": fmt.Sprint(step)}
	for i := 0; i < 20; i++ {
		x := math.Abs(math.Sin(float64(step*20+i))) * math.Pow(2, float64((step+i)%12-6))
		s.classic.Observe(x)
		s.both.WithLabelValues([]string{"/", "/cart"}[i%2]).(prometheus.ExemplarObserver).ObserveWithExemplar(x, labels)
		s.native.Observe(x * float64(1-2*(i%3)))
		s.summary.Observe(x)
	}
	s.native.Observe(0)
	s.requests.WithLabelValues("200").(prometheus.ExemplarAdder).AddWithExemplar(float64(step), labels)
	s.requests.WithLabelValues("500").Add(float64(step % 3))
	s.heat.Set(20 + math.Sin(float64(step)))
	if step == 7 {
		s.heat.Set(math.NaN())
	}
}

// crafted are what no instrument of the library makes: a histogram that is a gauge, and one of fractions.
func crafted(step int) []*dto.MetricFamily {
	n := float64(step)
	gauge := &dto.Histogram{SampleCount: proto.Uint64(uint64(3 + 2*(step%4))), SampleSum: proto.Float64(n / 2), Schema: proto.Int32(0),
		ZeroThreshold: proto.Float64(0.001), ZeroCount: proto.Uint64(1),
		PositiveSpan:  []*dto.BucketSpan{{Offset: proto.Int32(int32(step % 3)), Length: proto.Uint32(2)}},
		PositiveDelta: []int64{int64(1 + step%4), 0}}
	fraction := &dto.Histogram{SampleCountFloat: proto.Float64(n * 1.75), SampleSum: proto.Float64(n * 1.1), Schema: proto.Int32(2),
		ZeroThreshold: proto.Float64(0.25), ZeroCountFloat: proto.Float64(n * 0.25),
		NegativeSpan: []*dto.BucketSpan{{Offset: proto.Int32(1), Length: proto.Uint32(1)}}, NegativeCount: []float64{n * 0.5},
		PositiveSpan: []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(1)}, {Offset: proto.Int32(3), Length: proto.Uint32(1)}},
		PositiveCount: []float64{n * 0.75, n * 0.25}}
	of := func(name string, kind dto.MetricType, h *dto.Histogram) *dto.MetricFamily {
		return &dto.MetricFamily{Name: proto.String(name), Help: proto.String("Made by hand."), Type: kind.Enum(), Metric: []*dto.Metric{{Histogram: h}}}
	}
	return []*dto.MetricFamily{of("shop_gauge_histogram", dto.MetricType_GAUGE_HISTOGRAM, gauge), of("shop_fractions", dto.MetricType_HISTOGRAM, fraction)}
}

// history has the families of each step. A restart of the program lies in the middle: all counters begin again.
func history(start time.Time, step time.Duration, steps int) [][]*dto.MetricFamily {
	var out [][]*dto.MetricFamily
	s := newSource()
	for i := 0; i < steps; i++ {
		if i == steps/2 {
			s = newSource()
		}
		s.observe(i)
		families, err := s.registry.Gather()
		if err != nil {
			panic(err)
		}
		at := start.Add(time.Duration(i) * step).UnixMilli()
		families = append(families, crafted(i+1)...)
		for _, family := range families {
			for _, metric := range family.Metric {
				metric.TimestampMs = proto.Int64(at)
			}
		}
		out = append(out, families)
	}
	return out
}

func main() {
	start := flag.Int64("start", 0, "Unix seconds of the first step")
	step := flag.Duration("step", 15*time.Second, "from a step to the next")
	steps := flag.Int("steps", 20, "how many there are")
	flag.Parse()

	families := history(time.Unix(*start, 0), *step, *steps)
	var mutex sync.Mutex
	given := map[string]int{}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		reader := strings.Split(r.UserAgent(), "/")[0] + r.URL.Path
		now := min(given[reader], *steps-1)
		given[reader]++
		mutex.Unlock()
		gatherer := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families[now], nil })
		promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
	os.Exit(1)
}
