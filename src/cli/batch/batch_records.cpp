#include "batch_records.h"

#include <fstream>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

bool are_settings(const Json& settings) {
  return settings.is_object() && (!settings.contains("prompt") || settings["prompt"].is_string());
}

/// The clip that an object is about; "" if the object is not a record of a clip.
std::string output_of(const Json& object) {
  const bool named = object.is_object() && object.contains("output") && object["output"].is_string();
  if (!named || (object.contains("settings") && !are_settings(object["settings"]))) return "";
  return object["output"].get<std::string>();
}

Json parsed(const std::string& line) { return Json::parse(line, nullptr, /*allow_exceptions=*/false); }

}  // namespace

BatchRecords::BatchRecords(const std::filesystem::path& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const std::string output = output_of(parsed(line));
    changed_ = changed_ || output.empty() || has(output);
    if (output.empty()) continue;
    if (!has(output)) order_.push_back(output);
    lines_[output] = line;
  }
  if (stream.is_open() && order_.empty()) changed_ = true;  // an empty file, which a full disk left
}

Json BatchRecords::find(const std::string& output) const {
  const auto found = lines_.find(output);
  return found == lines_.end() ? Json() : parsed(found->second);
}

void BatchRecords::set(const Json& object) {
  const std::string output = output_of(object);
  if (output.empty()) return;
  if (!has(output)) order_.push_back(output);
  lines_[output] = record_line(object);
  changed_ = true;
}

void BatchRecords::erase(const std::string& output) {
  if (lines_.erase(output) == 0) return;
  std::erase(order_, output);
  changed_ = true;
}

std::string BatchRecords::text() const {
  std::string text;
  for (const std::string& output : order_) text += lines_.at(output) + '\n';
  return text;
}

std::string record_line(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace t2v
