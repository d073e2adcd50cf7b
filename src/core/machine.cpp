#include "core/machine.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace t2v {
namespace {

/// The value of `key` in a file of "key: value" lines; "" if the file has no such key.
std::string value_of(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

/// The value of `key`, a number of KiB, in bytes.
uint64_t bytes_of(const char* file, const std::string& key) {
  const std::string value = value_of(file, key);
  return value.empty() ? 0 : std::strtoull(value.c_str(), nullptr, 10) * 1024;
}

/// The number in a file; `otherwise` for "max" and for a missing file.
uint64_t number_in(const std::string& file, uint64_t otherwise) {
  uint64_t number = 0;
  return std::ifstream(file) >> number ? number : otherwise;
}

/// Memory that the control groups leave: in version 2 the group of this process and its parents, in version 1
/// the memory controller.
uint64_t left_by_control_groups() {
  constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  uint64_t left = kNoLimit;
  const auto limit_by = [&](const std::string& limit_file, const std::string& usage_file) {
    const uint64_t limit = number_in(limit_file, kNoLimit), used = number_in(usage_file, 0);
    if (limit != kNoLimit) left = std::min(left, limit - std::min(limit, used));
  };
  std::string group;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  for (; !group.empty(); group.resize(group.find_last_of('/'))) {
    const std::string folder = "/sys/fs/cgroup" + (group == "/" ? "" : group);
    limit_by(folder + "/memory.max", folder + "/memory.current");
  }
  const std::string old_folder = "/sys/fs/cgroup/memory";
  limit_by(old_folder + "/memory.limit_in_bytes", old_folder + "/memory.usage_in_bytes");
  return left;
}

/// Address space that `ulimit -v` leaves to this process.
uint64_t left_of_addresses() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<uint64_t>::max();
  return limit.rlim_cur - std::min<uint64_t>(limit.rlim_cur, bytes_of("/proc/self/status", "VmSize"));
}

}  // namespace

std::string in_gib(uint64_t bytes) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  const uint64_t hundredths = (bytes % kGiB * 100 + kGiB - 1) / kGiB + bytes / kGiB * 100;
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + (fraction.size() < 2 ? ".0" : ".") + fraction + " GiB";
}

uint64_t available_memory() {
  return std::min({bytes_of("/proc/meminfo", "MemAvailable"), left_by_control_groups(), left_of_addresses()});
}

uint64_t resident_memory() { return bytes_of("/proc/self/status", "VmRSS"); }

uint64_t peak_resident_memory() { return bytes_of("/proc/self/status", "VmHWM"); }

void reset_peak_resident_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::string processor_name() {
  const std::string name = value_of("/proc/cpuinfo", "model name");
  return name.empty() ? "processor" : name;
}

std::optional<int64_t> processor_megahertz() {
  const std::string value = value_of("/proc/cpuinfo", "cpu MHz");
  if (value.empty()) return std::nullopt;
  return static_cast<int64_t>(std::strtod(value.c_str(), nullptr));
}

}  // namespace t2v
