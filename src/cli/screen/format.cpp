#include "format.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace t2v {

std::string formatted(const char* format, ...) {
  std::va_list values, again;
  va_start(values, format);
  va_copy(again, values);
  std::string text(static_cast<size_t>(std::vsnprintf(nullptr, 0, format, values)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(values);
  return text;
}

std::string format_bytes(int64_t bytes) {
  constexpr double kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;
  const auto value = static_cast<double>(bytes);
  if (value >= 999.5 * kMiB) return formatted("%.2f GiB", value / kGiB);
  if (value >= 9.95 * kMiB) return formatted("%.0f MiB", value / kMiB);
  if (value >= kMiB) return formatted("%.1f MiB", value / kMiB);
  return value >= kKiB ? formatted("%.0f KiB", value / kKiB) : formatted("%.0f B", value);
}

std::string format_seconds(double seconds) {
  if (seconds < 0.9995e-3) return formatted("%.3g us", seconds * 1e6);
  if (seconds < 0.9995) return formatted("%.3g ms", seconds * 1e3);
  if (seconds < 99.95) return formatted("%.3g s", seconds);
  const long whole = std::lround(seconds);
  return formatted("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string count_of_clips(size_t count) { return std::to_string(count) + (count == 1 ? " clip" : " clips"); }

}  // namespace t2v
