#pragma once

#include <map>
#include <string>
#include <vector>

#include "families/family.h"
#include "files/checkpoints/component.h"
#include "t2v/error.h"

namespace t2v {

/// A part of a model that was recognised by the names of its tensors.
struct RecognisedPart {
  Component component;  ///< its tensors under the names of diffusers; without a configuration
  std::string naming;   ///< KeyMap::naming of the names that they have in the files
};

/// Recognises the parts of a family, one or several, behind any prefix. Renames their tensors, joins fp8
/// weights with their scales and splits fused tensors; a tensor that no key map knows keeps its name. The
/// result is keyed by PartKind::name. Error (kInput) for a part that is there twice.
std::map<std::string, RecognisedPart, std::less<>> recognise_parts(const Component& files,
                                                                   const Family& family);

/// The family whose transformer is in one of these, else the family of any part in them; nullptr if no key
/// map knows their tensors.
const Family* recognise_family(const std::vector<const Component*>& files);

/// The Error (kInput) for files without a known part.
Error unknown_tensors_error(const Component& files);

/// Gives fp8 weights their scales, which are tensors beside them, and drops the scales of activations.
void join_scales(Component& component);
/// Splits tensors that publishers joined into the parts that diffusers has.
void split_fused(Component& component, const std::vector<FusedTensors>& fused);

}  // namespace t2v
