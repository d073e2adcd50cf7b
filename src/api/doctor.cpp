#include "t2v/doctor.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "api/data_folder.h"
#include "api/engine_library.h"
#include "core/machine.h"
#include "core/staged_file.h"
#include "files/checkpoints/checkpoint.h"
#include "files/hub/environment.h"
#include "t2v/generate.h"
#include "t2v/hub.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using State = Finding::State;
using Tell = std::function<void(const Finding&)>;

/// "a, b", or "none".
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

Finding examine_program() {
  return {.name = "t2v", .detail = std::string(version()) + ", compiler " __VERSION__};
}

Finding examine_data() {
  const fs::path model = bundled_model();
  Checkpoint::open({.model = model}).expect_complete();
  if (!fs::is_regular_file(data_folder() / "configs" / "default.json")) {
    throw Error(ErrorCode::kInput, {.doing = data_folder().string(), .got = "no configs/default.json"});
  }
  return {.name = "data", .detail = "presets and tiny-world in " + data_folder().string()};
}

Finding examine_memory() {
  constexpr uint64_t kLittle = uint64_t{2} << 30;
  const uint64_t available = available_memory();
  Finding finding{.name = "memory", .detail = in_gib(available) + " can be used"};
  if (available < kLittle) {
    finding.state = State::kWarning;
    finding.advice = "the bundled model needs 1 GiB; t2v plan tells what another clip needs";
  }
  return finding;
}

/// A folder to which files are downloaded; that it is not there yet is well.
Finding examine_cache() {
  const fs::path folder = hub_cache_folder();
  Finding finding{.name = "cache", .detail = folder.string()};
  fs::path existing = folder;
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
  const bool writable = fs::is_directory(existing, error) && ::access(existing.c_str(), W_OK) == 0;
  if (existing != folder) finding.detail += ", not there yet";
  if (writable) {
    finding.detail += ", " + in_gib(fs::space(existing, error).available) + " free";
  } else {
    finding.state = State::kWarning;
    finding.detail += ", cannot be written";
    finding.advice = "set HF_HUB_CACHE to a folder of yours, or t2v pull cannot download";
  }
  return finding;
}

Finding examine_models() {
  std::vector<std::string> whole, broken;
  uint64_t bytes = 0;
  for (const ListedModel& model : list_models()) {
    if (model.path.empty() || model.repository.empty()) continue;  // the bundled one is data
    (model.whole ? whole : broken).push_back(model.name);
    bytes += static_cast<uint64_t>(model.bytes);
  }
  Finding finding{.name = "models", .detail = "downloaded: " + listed(whole)};
  if (bytes > 0) finding.detail += ", " + in_gib(bytes);
  if (!broken.empty()) {
    finding.state = State::kWarning;
    finding.detail += "; not whole: " + listed(broken);
    finding.advice = "t2v pull " + broken.front() + " continues";
  }
  return finding;
}

/// Renders a clip, which generate() reads back, and has a look at its colours.
Finding test_self(const std::string& device, const RunControl& control) {
  const char* named = std::getenv("TMPDIR");
  const StagedFolder folder(named != nullptr && *named != '\0' ? named : "/tmp");
  GenerateRequest request;
  request.prompt = "a red ball moves to the right over green grass";
  request.outputs.output = folder.path() / "clip.mp4";
  request.size.num_frames = 5;
  request.sampling.num_inference_steps = 4;
  request.sampling.seed = 1;
  request.machine.device = device;
  generate(request, {.on_event = {}, .stop = control.stop});
  return engine().doctor.examine_clip(request.outputs.output);
}

/// Tells what `look` finds, or how it failed; whether it did not.
bool look_at(const char* name, const Tell& tell, const char* advice, const std::function<Finding()>& look) {
  Finding finding{.state = State::kFailed, .name = name, .advice = advice};
  try {
    finding = look();
  } catch (const Error& error) {
    finding.code = error.code();
    finding.detail = error.what();
    if (error.code() == ErrorCode::kResource) finding.advice = "";  // its own says more
  } catch (const std::bad_alloc&) {
    finding.code = ErrorCode::kResource;
    finding.detail = "out of memory";
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception& error) {
    finding.detail = error.what();
  }
  tell(finding);
  return finding.state != State::kFailed;
}

}  // namespace

void examine(const std::string& device, bool render, const Tell& tell, const RunControl& control) {
  constexpr const char* kInstall = "install t2v again";
  look_at("t2v", tell, kInstall, examine_program);
  bool renders = look_at("data", tell, kInstall, examine_data);
  look_at("memory", tell, "", examine_memory);
  look_at("cache", tell, "set HF_HUB_CACHE to a folder of yours", examine_cache);
  look_at("models", tell, "t2v models verify NAME tells more", examine_models);
  const auto examine_with_engine = [&](const char* name) {
    return look_at(name, tell, kInstall, [&] { return engine().doctor.examine(name, device); });
  };
  for (const char* name : {"engine", "device", "encoders"}) renders = examine_with_engine(name) && renders;
  // What it needs and lacks was told.
  if (renders && render) {
    look_at("self-test", tell, "report it, with this list", [&] { return test_self(device, control); });
  }
}

}  // namespace t2v
