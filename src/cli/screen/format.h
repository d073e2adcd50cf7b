#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace t2v {

/// Text in printf's format.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

/// "1.25 GiB", "34 MiB", "3.4 MiB", "12 KiB", "7 B"
std::string format_bytes(int64_t bytes);

/// "12.3 us", "4.56 ms", "7.89 s"; from 100 s on "0:02:05"
std::string format_seconds(double seconds);

/// "1 clip", "12 clips"
std::string count_of_clips(size_t count);

}  // namespace t2v
