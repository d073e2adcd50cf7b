#include "t2v/hub.h"

#include <algorithm>
#include <utility>

#include "api/data_folder.h"
#include "api/locate_model.h"
#include "core/setting.h"
#include "core/text.h"
#include "files/formats/tensor_file.h"
#include "files/hub/pull.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

std::vector<KnownModel> known_models() { return read_manifests(data_folder() / "models" / "manifests"); }

/// The folder of the model of that name that comes with t2v, if there is one.
std::optional<fs::path> find_bundled(const std::string& name) {
  for (const BundledModel& model : kBundledModels) {
    if (name == model.name) return bundled_model(name);
  }
  return std::nullopt;
}

/// The short name that was meant by `name`; "" if none is like it.
std::string meant_model(const std::vector<KnownModel>& known, const std::string& name) {
  std::vector<std::string> names;
  for (const BundledModel& model : kBundledModels) names.push_back(model.name);
  for (const KnownModel& model : known) names.push_back(model.name);
  return closest_match(name, names);
}

KnownModel understand(const std::string& name) {
  const std::vector<KnownModel> known = known_models();
  if (const std::optional<KnownModel> model = find_known(known, name)) return *model;
  const std::string meant = meant_model(known, name);
  throw Error(ErrorCode::kUsage, {.doing = "model \"" + name + '"',
                                  .got = "no name that t2v knows",
                                  .expected = "a short name, org/repo or org/repo@revision",
                                  .advice = meant.empty() ? "t2v models list shows the short names"
                                                          : "did you mean " + meant + "?"});
}

/// Where the model is, or the Error that says how to get it.
fs::path find_here(const KnownModel& model) {
  const HubCache cache(hub_cache_folder());
  if (const std::optional<fs::path> path = find_in_cache(cache, model)) return *path;
  throw Error(ErrorCode::kInput,
              {.doing = "model " + model.name,
               .got = "no such folder or file, and nothing of it in " + cache.root().string(),
               .expected = "a path, or the name of a downloaded model",
               .advice = "run: t2v pull " + model.name});
}

/// The model with the state of its files, if they are here: a folder, or one file.
ListedModel with_files(ListedModel model, const std::optional<fs::path>& path) {
  if (!path) return model;
  const bool folder = fs::is_directory(*path);
  model.path = *path;
  model.bytes = folder ? size_of_files(*path) : static_cast<int64_t>(fs::file_size(*path));
  model.whole = !folder || missing_files(*path).empty();
  return model;
}

ListedModel listed(const HubCache& cache, const KnownModel& known) {
  return with_files({.name = known.name,
                     .repository = known.repository.id,
                     .about = known.about,
                     .bytes = known.bytes,
                     .path = {}},
                    find_in_cache(cache, known));
}

ListedModel listed(const BundledModel& bundled) {
  const fs::path path = bundled_model(bundled.name);
  std::error_code ignored;
  return with_files({.name = bundled.name, .repository = "", .about = bundled.about, .path = {}},
                    fs::is_directory(path, ignored) ? std::optional(path) : std::nullopt);
}

FileChoice choice_of(const PullRequest& request) {
  return {.variant = request.variant, .include = request.include, .offline = request.offline};
}

}  // namespace

PullResult pull_model(const PullRequest& request, const RunControl& control) {
  if (const std::optional<fs::path> bundled = find_bundled(request.model))
    return {.path = *bundled, .repository = "", .commit = ""};
  const KnownModel model = understand(request.model);
  const CachedModel pulled = pull(HubEnvironment::read(), model, choice_of(request), control);
  return {pulled.path, model.repository.id, pulled.commit, pulled.downloaded};
}

PullPlan plan_pull(const PullRequest& request, const RunControl& control) {
  if (const std::optional<fs::path> bundled = find_bundled(request.model))
    return {.repository = "", .commit = "", .folder = *bundled};
  const KnownModel model = understand(request.model);
  const DownloadPlan planned = plan_pull(HubEnvironment::read(), model, choice_of(request), control);
  PullPlan plan{.repository = model.repository.id,
                .commit = planned.commit,
                .folder = planned.folder,
                .to_come = planned.to_come,
                .disk_free = planned.disk_free};
  for (const PlannedFile& file : planned.files)
    plan.files.push_back({file.path, file.bytes, file.downloaded});
  return plan;
}

std::vector<ListedModel> list_models() {
  const std::vector<KnownModel> known = known_models();
  const HubCache cache(hub_cache_folder());
  std::vector<ListedModel> models;
  for (const BundledModel& model : kBundledModels) models.push_back(listed(model));
  for (const KnownModel& model : known) models.push_back(listed(cache, model));
  for (const std::string& id : cache.repositories()) {
    const auto is_this = [&id](const KnownModel& model) { return model.repository.id == id; };
    if (std::any_of(known.begin(), known.end(), is_this)) continue;
    const KnownModel model = *find_known({}, id);
    const std::optional<fs::path> snapshot = cache.find(model.repository);
    if (snapshot && fs::exists(*snapshot / "model_index.json")) models.push_back(listed(cache, model));
  }
  return models;
}

fs::path find_model(const std::string& name) {
  const std::optional<fs::path> bundled = find_bundled(name);
  return bundled ? *bundled : find_here(understand(name));
}

fs::path locate_model(const fs::path& model) {
  std::error_code ignored;
  if (model.empty() || is_named_like_tensors(model) || fs::exists(fs::symlink_status(model, ignored)))
    return model;
  if (const std::optional<fs::path> bundled = find_bundled(model.string())) return *bundled;
  const std::vector<KnownModel> known = known_models();
  if (const std::optional<KnownModel> named = find_known(known, model.string())) return find_here(*named);
  const std::string meant = meant_model(known, model.string());
  if (meant.empty()) return model;
  throw Error(ErrorCode::kInput, {.doing = setting("model", model.string()),
                                  .got = "no such folder or file, and no name that t2v knows",
                                  .expected = "a path, a short name or org/repo",
                                  .advice = "did you mean " + meant + "?"});
}

VerifyResult verify_model(const std::string& name, const RunControl& control) {
  const fs::path path = find_model(name);
  VerifiedFiles verified = verify(name, path, control);
  return {path, verified.files, verified.bytes, std::move(verified.unverified)};
}

}  // namespace t2v
