#include "existing_clips.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/flags/given_flags.h"
#include "cli/flags/usage_error.h"
#include "core/text.h"
#include "media/formats/clip_files.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Whether the flag of this name only chooses where a clip is computed; such flags are not compared.
bool only_places(const std::string& name) {
  static GenerateArguments arguments;
  static const std::vector<FlagGroup> groups = generate_flags(arguments);
  const Flag* flag = find_flag(groups, "--" + name);
  return flag != nullptr && !flag->decides_clip;
}

/// A path without the folder of the Hugging Face cache.
std::string without_cache_folder(const std::string& text) {
  const size_t repository = text.find("/models--");
  return text.starts_with('/') && repository != std::string::npos ? text.substr(repository) : text;
}

using Values = std::map<std::string, std::vector<std::string>>;

Values compared_settings(const nlohmann::ordered_json& settings) {
  Values kept;
  for (const GivenFlag& given : given_from_json(flags_of_settings(settings), "settings")) {
    if (only_places(given.name)) continue;
    for (const std::string& value : given.values) kept[given.name].push_back(without_cache_folder(value));
  }
  return kept;
}

/// The values of a setting for a message, cut if they are long.
std::string shown(const Values& settings, const std::string& name) {
  constexpr size_t kMostShown = 60;
  const auto found = settings.find(name);
  std::string text;
  if (found != settings.end()) {
    for (const std::string& value : found->second) text += (text.empty() ? "" : ", ") + value;
  }
  if (text.size() <= kMostShown) return text.empty() ? "nothing" : escape_for_display(text);
  text.resize(kMostShown);
  while (!is_valid_utf8(text)) text.pop_back();
  return escape_for_display(text) + "...";
}

/// The first setting that makes the frames of two clips differ, such as "--steps 2, not 3" or "other
/// weights";
/// "" for none. Both arguments are settings as inspect() returns them. Version, machine, command line and the
/// place of the Hugging Face cache are not compared. `model_sha256` gives the wanted weights' hash; it is
/// called only if everything else is the same, and an unknown hash is not compared. Error (kUsage) for a
/// setting that is no flag.
std::string settings_difference(const nlohmann::ordered_json& recorded, const nlohmann::ordered_json& wanted,
                                const std::function<std::string()>& model_sha256) {
  const Values there = compared_settings(recorded), asked = compared_settings(wanted);
  Values either = there;
  either.insert(asked.begin(), asked.end());
  for (const auto& [name, values] : either) {
    if (there.contains(name) && asked.contains(name) && there.at(name) == asked.at(name)) continue;
    std::string flag = "--" + name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    return flag + " " + shown(there, name) + ", not " + shown(asked, name);
  }
  const std::string then = recorded.value("model_sha256", "");
  const std::string now = then.empty() ? "" : model_sha256();
  return now.empty() || now == then ? "" : "other weights";
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file, ignored));
}

}  // namespace

OutputState ExistingClips::state_of(const BatchJob& job, const CheckedRequest& request) {
  if (!is_there(settings_file(request.outputs.output))) return OutputState::kAbsent;
  if (is_kept(request)) return OutputState::kComplete;
  const std::string other = difference_of_output(job, request);
  if (other.empty()) return is_whole(request) ? OutputState::kComplete : OutputState::kDamaged;
  if (request.outputs.overwrite) return OutputState::kAbsent;
  refuse(request.outputs.output.string(), other, "nothing, or the clip that is asked for",
         "add --overwrite to replace it or --skip-existing to keep it, or use another folder");
}

/// Whether --skip-existing keeps the existing clip, whatever its settings are.
bool ExistingClips::is_kept(const CheckedRequest& request) const {
  try {
    return options_.skip_existing && find_rendered(request);
  } catch (const std::exception&) {
    return false;
  }
}

/// How recorded settings and weights differ from those of the request; "" if they are the same.
std::string ExistingClips::difference(const BatchJob& job, const CheckedRequest& request,
                                      const std::string& recorded) {
  return settings_difference(Json::parse(recorded), Json::parse(settings_of(request)),
                             [&] { return model_sha256_of(job, request); });
}

/// Describes the existing output if it is another clip; "" if it is the clip of the job.
std::string ExistingClips::difference_of_output(const BatchJob& job, const CheckedRequest& request) {
  constexpr const char* kSomethingElse = "a file that t2v did not make, or an incomplete one";
  try {
    const Inspection inspection = inspect(settings_file(request.outputs.output));
    if (inspection.kind != Inspection::Kind::kClip) return kSomethingElse;
    const std::string other = difference(job, request, inspection.settings);
    return other.empty() ? "" : "a clip that was made with " + other;
  } catch (const std::exception&) {
    return kSomethingElse;
  }
}

/// Shows a note if the hash takes more than a second.
std::string ExistingClips::model_sha256_of(const BatchJob& job, const CheckedRequest& request) {
  const auto [found, is_new] = model_hashes_.try_emplace(job.model);
  if (!is_new) return found->second;
  std::future<std::string> hash = std::async(std::launch::async, model_sha256, std::cref(request));
  if (hash.wait_for(std::chrono::seconds(1)) == std::future_status::timeout) {
    progress_.note("t2v: comparing the weights with those of the clips that are there");
  }
  return found->second = hash.get();
}

/// Whether the file of --save-latents holds the latents of this job, from a run that did not write its clip.
bool ExistingClips::has_latents(const BatchJob& job, const CheckedRequest& request) {
  std::error_code ignored;
  if (!fs::is_regular_file(request.outputs.save_latents, ignored)) return false;
  try {
    const Inspection inspection = inspect(request.outputs.save_latents);
    return inspection.kind == Inspection::Kind::kLatents &&
           difference(job, request, inspection.settings).empty();
  } catch (const std::exception&) {
    return false;  // another kind of file: writing the latents will fail with its name
  }
}

bool ExistingClips::replaces_own_files(const BatchJob& job, const CheckedRequest& request,
                                       OutputState state) {
  const bool own_latents = has_latents(job, request);
  if (state != OutputState::kDamaged && !own_latents) return false;
  const auto expect_own = [&](const char* flag, const fs::path& file, bool own) {
    if (request.outputs.overwrite || own || !is_there(file)) return;
    refuse(std::string(flag) + ' ' + file.string(), "a name that is taken",
           "a new one, or what an earlier run of this row left",
           "move it away, or add --overwrite to replace it");
  };
  expect_own("--save-latents", request.outputs.save_latents, own_latents);
  expect_own("--preview", request.outputs.preview, is_own_preview(request.outputs));
  return true;
}

}  // namespace t2v
