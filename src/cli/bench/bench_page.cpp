#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench_results.h"
#include "cli/screen/format.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStyle = R"(
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; }
text { font: 12px sans-serif; fill: #222; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } text { fill: #ddd; } th, td { border-color: #444; }
}
)";
const std::vector<const char*> kColors = {"#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"};

std::string words(const Json& object, const char* key) { return in_html(object.at(key).get<std::string>()); }

std::string number(const Json& value, const char* format) {
  return value.is_null() ? "" : formatted(format, value.get<double>());
}

std::string table(const Json& report) {
  std::string html =
      "<table><tr><th>case</th><th>dtype</th><th>median s</th><th>p10</th><th>p90</th><th>TFLOP/s</th>"
      "<th>share %</th><th>memory GiB</th><th>attention</th><th>GPU "
      "s</th><th>J</th><th>price/run</th><th>note</th></tr>\n";
  for (const Json& result : report.at("results")) {
    html += "<tr><td>" + words(result, "name") + "</td><td>" + words(result, "dtype") + "</td>";
    for (const char* key : {"median", "p10", "p90", "tflops"})
      html += "<td>" + number(result.at(key), "%.4g") + "</td>";
    const Json& share = result.at("share");
    html += "<td>" + (share.is_null() ? "" : formatted("%.0f", 100 * share.get<double>())) + "</td><td>" +
            formatted("%.2f", result.at("peak_bytes").get<double>() / (1 << 30)) + "</td><td>" +
            words(result, "attention") + "</td><td>" + number(result.at("gpu_seconds"), "%.4g") +
            "</td><td>" + number(result.at("joules"), "%.4g") + "</td><td>" +
            number(result.at("price"), "%.4g") + "</td><td>" + words(result, "note") + "</td></tr>\n";
  }
  html += "</table>\n";
  if (!report.at("price_per_hour").is_null())
    html += "<p>" + price_unit(report.at("price_per_hour").get<double>()) + ".</p>\n";
  for (const char* key : {"failed", "skipped"}) {
    for (const Json& failure : report.at(key))
      html += "<p>" + words(failure, "name") + " was not timed: " + words(failure, "reason") + "</p>\n";
  }
  return html;
}

/// One bar for each whole clip, of its phases.
std::string phases_plot(const Json& report) {
  constexpr double kLeft = 150, kWidth = 700, kHeight = 30;
  std::string bars;
  double top = 10, longest = 0;
  for (const Json& result : report.at("results")) {
    double total = 0;
    for (const Json& seconds : result.at("phases")) total += seconds.get<double>();
    longest = std::max(longest, total);
  }
  for (const Json& result : report.at("results")) {
    if (result.at("phases").empty()) continue;
    bars += formatted("<text x=\"0\" y=\"%.0f\">", top + 20) + words(result, "name") + "</text>\n";
    double left = kLeft;
    size_t color = 0;
    for (const auto& [name, seconds] : result.at("phases").items()) {
      const double width = kWidth * seconds.get<double>() / longest;
      bars += formatted("<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\" fill=\"%s\"/>", left, top,
                        width, kHeight, kColors[color % kColors.size()]);
      bars += formatted("<text x=\"%.1f\" y=\"%.0f\" fill=\"%s\">", kLeft + 160 * static_cast<double>(color),
                        top + kHeight + 18, kColors[color % kColors.size()]);
      bars += "&#9632; " + in_html(name) + formatted(" %.3g s</text>\n", seconds.get<double>());
      left += width;
      ++color;
    }
    top += kHeight + 40;
  }
  if (bars.empty()) return "";
  return "<h2>Time by phase</h2>\n" +
         formatted("<svg viewBox=\"0 0 900 %.0f\" role=\"img\" aria-label=\"time by phase\">\n", top) + bars +
         "</svg>\n";
}

struct Point {
  double tokens, seconds;
  std::string name;
};

/// One axis of a plot on a logarithmic scale of whole decades, from `begin` to `end` in the picture.
class DecadeAxis {
 public:
  DecadeAxis(double smallest, double largest, double begin, double end)
      : first_(std::floor(std::log10(smallest))),
        last_(std::max(std::ceil(std::log10(largest)), first_ + 1)),
        begin_(begin),
        end_(end) {}

  double at(double value) const {
    return begin_ + (end_ - begin_) * (std::log10(value) - first_) / (last_ - first_);
  }
  std::vector<double> ticks() const {
    std::vector<double> values;
    for (double decade = first_; decade <= last_; ++decade) values.push_back(std::pow(10, decade));
    return values;
  }

 private:
  double first_, last_, begin_, end_;
};

constexpr double kLeft = 70, kRight = 830, kTop = 20, kBottom = 380;

std::string grid(const DecadeAxis& tokens, const DecadeAxis& seconds) {
  constexpr const char* kLine = "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#8884\"/>";
  std::string drawn;
  for (const double tick : tokens.ticks()) {
    drawn += formatted(kLine, tokens.at(tick), kTop, tokens.at(tick), kBottom) +
             formatted("<text x=\"%.1f\" y=\"%.1f\">%.0f</text>\n", tokens.at(tick) - 8, kBottom + 18, tick);
  }
  for (const double tick : seconds.ticks()) {
    drawn += formatted(kLine, kLeft, seconds.at(tick), kRight, seconds.at(tick)) +
             formatted("<text x=\"0\" y=\"%.1f\">%g s</text>\n", seconds.at(tick) + 4, tick);
  }
  return drawn;
}

/// Time against tokens, both on logarithmic scales; a colour for each kind of case.
std::string cost_plot(const Json& report) {
  std::vector<Point> points;
  for (const Json& result : report.at("results")) {
    const double tokens = result.at("tokens"), seconds = result.at("median");
    if (tokens > 0) points.push_back({tokens, seconds, result.at("name").get<std::string>()});
  }
  if (points.empty()) return "";
  const auto [few, many] = std::ranges::minmax_element(points, {}, &Point::tokens);
  const auto [quick, slow] = std::ranges::minmax_element(points, {}, &Point::seconds);
  const DecadeAxis tokens(few->tokens, many->tokens, kLeft, kRight);
  const DecadeAxis seconds(quick->seconds, slow->seconds, kBottom, kTop);
  std::string drawn = grid(tokens, seconds);
  std::vector<std::string> kinds;
  for (const Point& point : points) {
    const std::string kind = point.name.substr(0, point.name.find('.'));
    const auto known = std::find(kinds.begin(), kinds.end(), kind);
    const char* color = kColors[static_cast<size_t>(known - kinds.begin()) % kColors.size()];
    if (known == kinds.end()) kinds.push_back(kind);
    const double x = tokens.at(point.tokens), y = seconds.at(point.seconds);
    drawn += formatted("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\"/>", x, y, color) +
             formatted("<text x=\"%.1f\" y=\"%.1f\">", x + 8, y + 4) + in_html(point.name) + "</text>\n";
  }
  return "<h2>Time against tokens</h2>\n"
         "<svg viewBox=\"0 0 980 420\" role=\"img\" aria-label=\"time against tokens\">\n" +
         drawn + "</svg>\n";
}

}  // namespace

std::string bench_page(const Json& report) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>t2v bench</title>\n<style>";
  html += kStyle;
  html += "</style></head><body>\n<h1>t2v bench</h1>\n<p>" + words(report, "device_name") + ", t2v " +
          words(report, "t2v") + ", LibTorch " + words(report, "libtorch");
  if (!words(report, "driver").empty()) html += ", driver " + words(report, "driver");
  html += "</p>\n<p>Matrix products: ";
  for (const auto& [dtype, tflops] : report.at("ceilings").items()) {
    html += in_html(dtype) + formatted(" %.4g TFLOP/s; ", tflops.get<double>());
  }
  return html + "share is of these.</p>\n" + table(report) + phases_plot(report) + cost_plot(report) +
         "</body></html>\n";
}

}  // namespace t2v
