#pragma once

#include <map>
#include <string>

#include "files/checkpoints/component.h"

namespace t2v {

/// What was found in files whose tensors may be named in any of the published ways.
struct Identified {
  Component component;      ///< its tensors under the names of diffusers; no configuration yet
  std::string_view naming;  ///< of which naming they were: "diffusers", "original", ...
};

/// Tells by names which components are in `files`, one or several in any way of naming, behind any prefix;
/// and renames, joins fp8 weights with their scales, takes fused projections apart. A tensor that no naming
/// knows keeps its name. The result is keyed by component: transformer, vae, text_encoder, image_encoder;
/// empty if there is none. Error (kInput) for one twice.
std::map<std::string, Identified, std::less<>> identify(const Component& files);

/// The Error (kInput) for files in which there is none.
Error unknown_tensors_error(const Component& files);

/// The last of these steps, for tensors that have the names of diffusers already.
void join_scales(Component& component);
void split_fused(Component& component);

}  // namespace t2v
