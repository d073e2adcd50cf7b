#include "files/hub/manifest.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/config.h"

namespace t2v {
namespace {

KnownModel read_model(const Config& entry) {
  const std::optional<Repository> repository = parse_repository(entry.text("repository", ""));
  if (!repository) entry.fail("repository", "org/repo or org/repo@revision");
  KnownModel model{.name = entry.text("name", ""),
                   .repository = *repository,
                   .about = entry.text("about", ""),
                   .bytes = static_cast<int64_t>(entry.number("gigabytes", 0) * 1e9),
                   .files = {}};
  if (model.name.empty() || model.name.find_first_of("/@ ") != std::string::npos) {
    entry.fail("name", "a short name");
  }
  if (!entry.has("files")) return model;
  for (const nlohmann::json& file : entry.json().at("files")) {
    if (!file.is_string() || !is_safe_path(file.get<std::string>())) entry.fail("files", "a list of paths");
    model.files.push_back(file.get<std::string>());
  }
  return model;
}

}  // namespace

std::vector<KnownModel> read_manifests(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<KnownModel> known;
  for (const std::filesystem::path& file : files) {
    const Config manifest = Config::read(file);
    if (!manifest.has("models") || !manifest.json().at("models").is_array())
      manifest.fail("models", "a list");
    for (const nlohmann::json& entry : manifest.json().at("models")) {
      if (!entry.is_object()) manifest.fail("models", "a list of objects");
      known.push_back(read_model(Config(entry, manifest.origin())));
    }
  }
  return known;
}

std::optional<KnownModel> find_known(const std::vector<KnownModel>& known, const std::string& name) {
  for (const KnownModel& model : known) {
    if (model.name == name) return model;
  }
  const std::optional<Repository> repository = parse_repository(name);
  if (!repository) return std::nullopt;
  return KnownModel{.name = name, .repository = *repository, .about = "", .bytes = 0, .files = {}};
}

}  // namespace t2v
