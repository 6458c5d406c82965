//! Draws what an evaluation costs against the size of its request, as docs/performance.svg: `make performance.svg`.
//!
//! The cost is counted in instructions, so that the figure is the same on every machine.
use std::{fmt::Write as _, fs};

use kubectl_runtime_class::Capabilities;
use serde_json::{Value, json};
use tests::*;

#[path = "../module/meter.rs"]
mod meter;

const SIZES: [usize; 8] = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 96_000, 128_000];

/// The drawing and the margins around the plot.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

struct Series {
    name: &'static str,
    color: &'static str,
    /// Bytes of the payload, and instructions.
    points: Vec<(f64, f64)>,
}

fn main() {
    let accept = json!({ "reservedRuntimes": ["runC"], "matchHandlers": false });
    let mutate = json!({ "reservedRuntimes": ["gvisor"], "fallbackRuntime": "kata", "matchHandlers": false });
    let series = [
        Series { name: "mutate, escapes", color: "#b45309", points: points(&mutate, ESCAPES) },
        Series { name: "accept, escapes", color: "#f59e0b", points: points(&accept, ESCAPES) },
        Series { name: "mutate, plain", color: "#1d4ed8", points: points(&mutate, PLAIN) },
        Series { name: "accept, plain", color: "#60a5fa", points: points(&accept, PLAIN) },
    ];
    fs::write(workspace::root().join("docs/performance.svg"), draw(&series)).expect("docs/ can be written");
}

fn points(settings: &Value, value: &str) -> Vec<(f64, f64)> {
    let point = |bytes| {
        let payload = json!({ "request": large_pod(bytes, value), "settings": settings }).to_string();
        let (fuel, _) = meter::evaluate(&payload, Capabilities::not_granted());
        println!("{value:?}, {} bytes: {fuel} instructions", payload.len());
        (payload.len() as f64, fuel as f64)
    };
    SIZES.into_iter().map(point).collect()
}

fn draw(series: &[Series]) -> String {
    let all = || series.iter().flat_map(|series| &series.points);
    let (most_bytes, step_x) = scale(all().map(|point| point.0).fold(0.0, f64::max));
    let (most_fuel, step_y) = scale(all().map(|point| point.1).fold(0.0, f64::max));
    let x = |bytes: f64| LEFT + bytes / most_bytes * (WIDTH - LEFT - RIGHT);
    let y = |fuel: f64| HEIGHT - BOTTOM - fuel / most_fuel * (HEIGHT - TOP - BOTTOM);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>Instructions of an evaluation against the size of its request</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\">million instructions of an evaluation</text>\n"
    );
    let mut text = |line: std::fmt::Arguments| svg.write_fmt(line).expect("a string takes all text");
    for tick in ticks(most_fuel, step_y) {
        text(format_args!("<path d=\"M{LEFT} {0:.1}H{1:.1}\" stroke=\"#ddd\"/>\n", y(tick), x(most_bytes)));
        text(format_args!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            LEFT - 8.0,
            y(tick) + 4.0,
            tick / 1e6
        ));
    }
    for tick in ticks(most_bytes, step_x) {
        text(format_args!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            x(tick),
            HEIGHT - BOTTOM + 20.0,
            tick / 1e3
        ));
    }
    text(format_args!(
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">KB of request</text>\n",
        x(most_bytes / 2.0),
        HEIGHT - 10.0
    ));
    for (number, Series { name, color, points }) in series.iter().enumerate() {
        let line: Vec<_> = points.iter().map(|(bytes, fuel)| format!("{:.1},{:.1}", x(*bytes), y(*fuel))).collect();
        text(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n",
            line.join(" ")
        ));
        let (at, middle) = (x(most_bytes) + 20.0, TOP + 20.0 + 24.0 * number as f64);
        text(format_args!("<path d=\"M{at} {middle}h24\" stroke=\"{color}\" stroke-width=\"2\"/>\n"));
        text(format_args!("<text x=\"{}\" y=\"{}\">{name}</text>\n", at + 32.0, middle + 4.0));
    }
    svg + "</svg>\n"
}

/// The end of an axis for values up to this, and the step between its ticks.
fn scale(most: f64) -> (f64, f64) {
    let power = 10f64.powf((most / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| step * 5.0 >= most);
    let step = step.unwrap_or(10.0 * power);
    ((most / step).ceil() * step, step)
}

fn ticks(most: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=(most / step).round() as u32).map(move |tick| f64::from(tick) * step)
}
