#pragma once

#include <memory>
#include <vector>

#include "t2v/generate.h"

namespace t2v {

class RenderEngine;

/// Renders clips one after another in one process and keeps models and prompt embeddings for the next clips.
/// The frames are the same as generate() makes.
class Renderer {
 public:
  Renderer();
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  /// The requests that come next, in their order; replaces the requests expected before. Their prompts are
  /// encoded together, with one load of the text encoder. Models stay loaded, memory permitting, until the
  /// last of these requests that uses them. generate() also takes other requests.
  void expect(const std::vector<CheckedRequest>& requests);

  /// As t2v::generate(). After an Error or Stopped the next clip can be rendered. Not for two threads at
  /// once.
  GenerateResult generate(const GenerateRequest& request, const RunControl& control);
  /// The same for a request that check() returned. Only the outputs are checked again, because files may have
  /// appeared since.
  GenerateResult generate(const CheckedRequest& request, const RunControl& control);

 private:
  GenerateResult render(const CheckedRequest& request, const RunControl& control);

  std::vector<CheckedRequest> expected_;
  std::unique_ptr<RenderEngine> engine_;
};

}  // namespace t2v
