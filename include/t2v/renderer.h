#pragma once

#include <memory>
#include <vector>

#include "t2v/generate.h"

namespace t2v {

class RenderEngine;

/// Renders clips one after another in one process and keeps what those to come can use. The frames are those
/// that generate() makes.
class Renderer {
 public:
  Renderer();
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  /// The requests that will be rendered, in their order; replaces the requests expected before. Their prompts
  /// are encoded together, with one load of the text encoder, and models stay loaded while one of these
  /// requests is still to come that uses the same ones, memory permitting. A request that is not among them
  /// is rendered as well.
  void expect(const std::vector<CheckedRequest>& requests);

  /// As t2v::generate(), which is a Renderer that expects nothing. After an Error or Stopped the next clip
  /// can be rendered. Not by two threads at once.
  GenerateResult generate(const GenerateRequest& request, const RunControl& control);
  /// The same for a request that check() returned. Only the outputs are checked again: other files may have
  /// come into being.
  GenerateResult generate(const CheckedRequest& request, const RunControl& control);

 private:
  GenerateResult render(const CheckedRequest& request, const RunControl& control);

  std::vector<CheckedRequest> expected_;
  std::unique_ptr<RenderEngine> engine_;
};

}  // namespace t2v
