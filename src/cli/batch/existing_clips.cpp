#include "existing_clips.h"

#include <chrono>
#include <functional>
#include <future>

#include <nlohmann/json.hpp>

#include "cli/flags/usage_error.h"
#include "media/formats/clip_files.h"
#include "settings_difference.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

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
