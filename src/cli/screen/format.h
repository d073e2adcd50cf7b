#pragma once

#include <cstdint>
#include <string>

namespace t2v {

/// What printf would print.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

/// "1.25 GiB", "34 MiB", "3.4 MiB", "12 KiB", "7 B"
std::string in_bytes(int64_t bytes);

/// "12.3 us", "4.56 ms", "7.89 s", from 100 s on "0:02:05"
std::string in_seconds(double seconds);

/// "1 clip", "12 clips"
std::string count_of_clips(size_t count);

/// As text of an HTML page, within quotes as well; control characters are escaped as for a terminal.
std::string in_html(const std::string& text);

}  // namespace t2v
