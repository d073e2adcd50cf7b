#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "t2v/checked_request.h"
#include "t2v/request.h"
#include "t2v/run.h"

namespace t2v {

struct GenerateResult {
  std::filesystem::path output;  ///< of a sequence of files, the first; empty without Outputs::output
  std::string settings;          ///< JSON, as recorded in the clip
};

/// Checks a request without loading weights. Decides the values that it leaves empty: the seed by chance,
/// others from the preset of the model. LibTorch is loaded only to find out which clip an existing preview
/// belongs to. Error (kUsage, kInput, kOutput).
CheckedRequest check(const GenerateRequest& request);

/// check(), then renders one clip: written, synced, read back and published under its name, or not there at
/// all. The frames also go to RunControl::on_frames, which a request without an output needs. Error, Stopped:
/// temporary files are gone; latents that were sampled before the stop are kept beside the output, and the
/// log says where.
GenerateResult generate(const GenerateRequest& request, const RunControl& control);

/// The clip that the request names as its output, if it exists with as many frames as asked for and every one
/// can be read; its settings are "{}" if none are recorded. Error as check(), but an existing output is none.
std::optional<GenerateResult> find_rendered(const GenerateRequest& request);
std::optional<GenerateResult> find_rendered(const CheckedRequest& request);

/// "0.1.0"
const char* version();

}  // namespace t2v
