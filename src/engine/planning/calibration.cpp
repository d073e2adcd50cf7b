#include "engine/planning/calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/file_lock.h"
#include "core/log.h"
#include "core/staged_file.h"
#include "core/user_cache.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr int64_t kLargestFile = 16 << 20;
constexpr const char* kDevices = "devices";

/// Empty where the user has no cache folder.
fs::path calibration_file() {
  const fs::path folder = user_cache_folder();
  return folder.empty() ? folder : folder / "calibration.json";
}

/// The content of the file; empty for a file that is missing, damaged or of another version.
ordered_json read_all() {
  const ordered_json none = {{"version", kVersion}, {kDevices, ordered_json::object()}};
  const fs::path file = calibration_file();
  std::error_code ignored;
  if (file.empty() || !fs::exists(file, ignored)) return none;
  try {
    ordered_json content = ordered_json::parse(read_file(file, kLargestFile));
    const bool known = content.is_object() && content.value("version", 0) == kVersion &&
                       content.contains(kDevices) && content[kDevices].is_object();
    if (known) return content;
  } catch (const std::exception& error) {
    log_verbose(std::string("calibration is not used: ") + error.what());
  }
  return none;
}

ordered_json to_json(const PhaseWork& rate) {
  return {{"phase", rate.phase},
          {"dtype", rate.dtype},
          {"width", rate.width},
          {"length", rate.length},
          {"per_second", rate.amount}};
}

std::optional<PhaseWork> from_json(const ordered_json& object) {
  try {
    PhaseWork rate{.phase = object.at("phase"),
                   .dtype = object.at("dtype"),
                   .width = object.at("width"),
                   .length = object.at("length"),
                   .amount = object.at("per_second")};
    if (rate.width > 0 && rate.length > 0 && rate.amount > 0) return rate;
  } catch (const nlohmann::json::exception&) {
    // counts as missing
  }
  return std::nullopt;
}

bool same_work(const PhaseWork& a, const PhaseWork& b) {
  return a.phase == b.phase && a.dtype == b.dtype && a.width == b.width && a.length == b.length;
}

/// Distance of two works in doublings.
double difference(const PhaseWork& a, const PhaseWork& b) {
  return std::abs(std::log2(a.width / b.width)) + std::abs(std::log2(a.length / b.length));
}

}  // namespace

Calibration Calibration::of(const std::string& device) { return in(read_all(), device); }

Calibration Calibration::in(const ordered_json& content, const std::string& device) {
  Calibration calibration(device);
  const auto stored = content.at(kDevices).find(device);
  if (stored == content.at(kDevices).end() || !stored->is_array()) return calibration;
  for (const ordered_json& entry : *stored) {
    if (const auto rate = from_json(entry)) calibration.add(*rate);
  }
  return calibration;
}

std::optional<double> Calibration::seconds(const PhaseWork& work) const {
  const Rate* best = nullptr;
  for (const Rate& rate : rates_) {
    if (rate.phase != work.phase || rate.dtype != work.dtype) continue;
    if (best == nullptr || difference(rate, work) < difference(*best, work)) best = &rate;
  }
  return best == nullptr ? std::nullopt : std::optional(work.amount / best->amount);
}

void Calibration::add(const PhaseWork& work, double seconds) {
  Rate rate = work;
  rate.amount = work.amount / seconds;
  if (!(rate.amount > 0) || !std::isfinite(rate.amount)) return;
  add(rate);
  noted_.push_back(rate);
}

void Calibration::add(const Rate& rate) {
  std::erase_if(rates_, [&](const Rate& old) { return same_work(old, rate); });
  rates_.push_back(rate);
}

void Calibration::store() const {
  const fs::path file = calibration_file();
  if (file.empty()) return log_warning("the calibration is not stored: HOME is not set");
  try {
    fs::create_directories(file.parent_path());
    const FileLock lock(file.string() + ".lock");
    ordered_json content = read_all(), entries = ordered_json::array();
    Calibration now = Calibration::in(content, device_);
    for (const Rate& rate : noted_) now.add(rate);
    for (const Rate& rate : now.rates_) entries.push_back(to_json(rate));
    content[kDevices][device_] = entries;
    StagedFile staged(file);
    staged.write(content.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    staged.publish(/*overwrite=*/true);
  } catch (const std::exception& error) {
    log_warning(std::string("the calibration is not stored: ") + error.what());
  }
}

}  // namespace t2v
